// Questions of `fairlead init` on a terminal. Thread: main.

import { createInterface } from 'node:readline';
import type { InitAnswers } from './init-file.ts';

/** Asks one question and returns the answer, trimmed; '' for none. */
export type Ask = (question: string) => Promise<string>;

/** The person at the terminal. */
export interface Dialogue {
  readonly ask: Ask;
  /** Explains why an answer is asked for again. */
  readonly complain: (message: string) => void;
  /** Errors in the configuration of these answers, as messages. */
  readonly errorsOf: (answers: InitAnswers) => readonly string[];
}

/** Options that were given: no question is asked for them. */
export interface GivenAnswers {
  readonly upstreams: readonly string[];
  readonly domains: readonly string[];
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly health: string | undefined;
  readonly listen: string | undefined;
}

/** Answers without a terminal, with defaults for options left out: plain HTTP, any host, heartbeats that connect. */
export function defaultAnswers({ upstreams, domains, cert, key, health, listen }: GivenAnswers): InitAnswers {
  return {
    upstreams,
    domains,
    tls: cert === undefined || key === undefined ? null : { cert, key },
    health: health ?? null,
    listen: listen ?? null,
  };
}

/** Asks for everything that the options leave open. An answer that would be refused is asked for again. */
export async function askAnswers(given: GivenAnswers, dialogue: Dialogue): Promise<InitAnswers> {
  const { ask } = dialogue;
  let known = given;
  const learn = async (question: () => Promise<Partial<GivenAnswers>>): Promise<void> => {
    known = await untilValid(known, question, dialogue);
  };
  if (given.upstreams.length === 0) {
    await learn(async () => ({ upstreams: await askUrls(dialogue) }));
  }
  if (given.domains.length === 0) {
    await learn(async () => ({ domains: split(await ask('Domains of the site, such as example.com (none: any): ')) }));
  }
  if (given.health === undefined) {
    const question = 'Path of a health check, such as /healthz (none: only connect): ';
    await learn(async () => ({ health: emptyToNone(await ask(question)) }));
  }
  if (given.cert === undefined) await learn(() => askCertificate(dialogue));
  return defaultAnswers(known);
}

async function untilValid(
  known: GivenAnswers,
  question: () => Promise<Partial<GivenAnswers>>,
  { complain, errorsOf }: Dialogue,
): Promise<GivenAnswers> {
  for (;;) {
    const next = { ...known, ...(await question()) };
    const errors = errorsOf(defaultAnswers(next));
    if (errors.length === 0) return next;
    errors.forEach(complain);
  }
}

/** Answers from the terminal. The questions go to standard error. @throws Error at the end of input and at Ctrl-C */
export async function withTerminal<T>(use: (dialogue: Omit<Dialogue, 'errorsOf'>) => Promise<T>): Promise<T> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // An iterator keeps lines that arrive before their question, such as pasted ones.
  const lines = terminal[Symbol.asyncIterator]();
  const ask: Ask = async (question) => {
    terminal.setPrompt(question);
    terminal.prompt();
    const { value, done } = await lines.next();
    if (done !== true) return value.trim();
    // Ctrl-C and Ctrl-D leave the cursor behind the question.
    console.error();
    throw new Error('nothing was written: the input ended before all questions were answered');
  };
  try {
    return await use({ ask, complain: (message) => console.error(`  ${message}`) });
  } finally {
    terminal.close();
  }
}

async function askUrls(dialogue: Dialogue): Promise<readonly string[]> {
  const question = 'URLs of your app servers, such as http://127.0.0.1:3000: ';
  return split(await askNeeded(dialogue, question, 'at least one URL is needed; separate several with spaces'));
}

async function askCertificate(dialogue: Dialogue): Promise<Partial<GivenAnswers>> {
  const cert = emptyToNone(await dialogue.ask('Certificate file for TLS, PEM (none: plain HTTP): '));
  if (cert === undefined) return {};
  return { cert, key: await askNeeded(dialogue, 'Its private key, PEM: ', 'TLS needs the private key too') };
}

/** Asks until there is an answer. */
async function askNeeded({ ask, complain }: Dialogue, question: string, reason: string): Promise<string> {
  for (;;) {
    const answer = await ask(question);
    if (answer !== '') return answer;
    complain(reason);
  }
}

function split(line: string): string[] {
  return line.split(/[\s,]+/).filter((word) => word !== '');
}

function emptyToNone(line: string): string | undefined {
  return line === '' ? undefined : line;
}
