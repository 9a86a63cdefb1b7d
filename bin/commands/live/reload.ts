// `fairlead reload` triggers a reload of the running Fairlead and prints the changes or the problems; `fairlead upgrade`
// replaces the running process without losing a connection (docs/design.md 1.8). Thread: main.

import { counted } from '../../../core/counted.ts';
import type { ProblemJson } from '../../../config/problems/problem-report.ts';
import { type AdminAnswer, callAdmin, refusalWords } from './admin-client.ts';
import { adminTarget, type AdminOptions } from './admin-target.ts';
import { attempt } from './run-live-command.ts';
import { EXIT } from '../exit-codes.ts';
import { plainText } from '../explain/why-text.ts';

/**
 * Timeout in ms. The reply to a reload arrives when every worker, new ones included, runs on the new configuration; for
 * an upgrade the next process may be started twice and loads its configuration each time.
 */
const TIMEOUT_MS = 60_000;

export interface ReloadOptions extends AdminOptions {
  readonly json?: boolean;
}

/** Output and exit code for a reply. */
export interface ReloadReport {
  readonly lines: readonly string[];
  readonly exitCode: number;
}

/**
 * Requests a reload, prints the outcome and sets the exit code: 1 for an invalid file, 4 when a valid one cannot be
 * applied or the API refuses.
 */
export function reload(options: ReloadOptions): Promise<void> {
  return attempt(async () => {
    const change = { body: {}, timeoutMs: TIMEOUT_MS };
    const answer = await callAdmin(adminTarget(options), '/api/v1/reload', change);
    const { lines, exitCode } = reloadReport(answer);
    if (options.json === true) console.log(JSON.stringify(answer.body, null, 2));
    else for (const line of lines) (exitCode === EXIT.ok ? console.log : console.error)(line);
    process.exitCode = exitCode;
  });
}

export function reloadReport(answer: AdminAnswer): ReloadReport {
  if (answer.status === 200) return { lines: changeLines(answer.body as Changes), exitCode: EXIT.ok };
  const { problems = [], findings = [] } = answer.body as Refusal;
  const words = `fairlead: ${plainText(refusalWords(answer))}`;
  if (findings.length > 0) {
    return { lines: [...findings.map(({ rendered }) => linewise(rendered)), words], exitCode: EXIT.invalid };
  }
  return { lines: [words, ...problems.map((problem) => `  ${plainText(problem)}`)], exitCode: EXIT.failed };
}

interface Changes {
  readonly generation: number;
  readonly changes: readonly string[];
}

interface Refusal {
  readonly problems?: readonly string[];
  readonly findings?: readonly ProblemJson[];
}

function changeLines({ generation, changes }: Changes): string[] {
  const summary = changes.length === 0 ? 'nothing has changed' : counted(changes.length, 'change');
  return [`revision ${generation} runs: ${summary}`, ...changes.map((change) => `  ${plainText(change)}`)];
}

/** Several lines without control characters. */
function linewise(text: string): string {
  return text.split('\n').map(plainText).join('\n');
}

/** Requests an upgrade, waits until the next process serves and sets the exit code. */
export function upgrade(options: AdminOptions): Promise<void> {
  return attempt(async () => {
    const change = { body: {}, timeoutMs: TIMEOUT_MS };
    const answer = await callAdmin(adminTarget(options), '/api/v1/upgrade', change);
    if (answer.status !== 200) throw new Error(refusalWords(answer));
    const { pid } = answer.body as { pid: number };
    console.log(`process ${pid} has taken over; the one before it ends when its last connection has`);
  });
}
