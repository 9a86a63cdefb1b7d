// `fairlead reload`: has the Fairlead that runs load its configuration again, and tells what that changed, or what is
// wrong with it. Thread: main.

import type { ProblemJson } from '../../../config/problems/problem-report.ts';
import { type AdminAnswer, callAdmin, refusalWords } from './admin-client.ts';
import { adminTarget, type AdminOptions } from './admin-target.ts';
import { attempt } from './run-live-command.ts';
import { EXIT } from '../exit-codes.ts';
import { plainText } from '../explain/why-text.ts';

/** The answer comes when every worker runs on the new configuration; a new worker takes its time. */
const TIMEOUT_MS = 60_000;

export interface ReloadOptions extends AdminOptions {
  readonly json?: boolean;
}

/** What an answer says, and the exit code for it. */
export interface ReloadReport {
  readonly lines: readonly string[];
  readonly exitCode: number;
}

/**
 * Asks over the admin API, prints what came of it, and sets the exit code: 1 where the file is invalid, 4 where a valid
 * one can't be applied or the API refuses.
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
  const summary =
    changes.length === 0 ? 'nothing has changed' : `${changes.length} change${changes.length === 1 ? '' : 's'}`;
  return [`revision ${generation} runs: ${summary}`, ...changes.map((change) => `  ${plainText(change)}`)];
}

/** Several lines, none of which may steer the terminal. */
function linewise(text: string): string {
  return text.split('\n').map(plainText).join('\n');
}
