// Questions of `fairlead init` on a terminal. Thread: main.

import { createInterface } from 'node:readline';
import type { InitAnswers } from './init-file.ts';

/** Asks one question and returns the answer, trimmed; '' for none. */
export type Ask = (question: string) => Promise<string>;

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

/** Asks for everything that the options leave open. */
export async function askAnswers(given: GivenAnswers, ask: Ask): Promise<InitAnswers> {
  const { upstreams, domains, health, cert } = given;
  const asked = {
    upstreams: upstreams.length > 0 ? upstreams : await askSome(ask),
    domains: domains.length > 0 ? domains : split(await ask('Domains of the site, such as example.com (none: any): ')),
    health: health ?? emptyToNone(await ask('Path of a health check, such as /healthz (none: only connect): ')),
    cert: cert ?? emptyToNone(await ask('Certificate file for TLS, PEM (none: plain HTTP): ')),
  };
  const key = asked.cert === undefined ? undefined : (given.key ?? (await ask('Its private key, PEM: ')));
  return defaultAnswers({ ...given, ...asked, key });
}

/** Answers from the terminal. The questions go to standard error. @throws Error at the end of input */
export async function withTerminal<T>(use: (ask: Ask) => Promise<T>): Promise<T> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // An iterator keeps lines that arrive before their question, such as pasted ones.
  const lines = terminal[Symbol.asyncIterator]();
  const ask: Ask = async (question) => {
    terminal.setPrompt(question);
    terminal.prompt();
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the input ended before all questions were answered');
    return value.trim();
  };
  try {
    return await use(ask);
  } finally {
    terminal.close();
  }
}

async function askSome(ask: Ask): Promise<readonly string[]> {
  for (;;) {
    const urls = split(await ask('URLs of the app servers, such as http://127.0.0.1:3000 (several: with spaces): '));
    if (urls.length > 0) return urls;
  }
}

function split(line: string): string[] {
  return line.split(/[\s,]+/).filter((word) => word !== '');
}

function emptyToNone(line: string): string | undefined {
  return line === '' ? undefined : line;
}
