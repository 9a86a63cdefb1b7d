// `fairlead init`: writes a first configuration from options, or from answers at a terminal. Thread: main.

import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { loadConfigText } from '../../../config/load.ts';
import { systemClock } from '../../../core/clock.ts';
import { EXIT } from '../exit-codes.ts';
import { attempt, UsageError } from '../live/run-live-command.ts';
import { printProblems } from '../config/problems.ts';
import { type InitAnswers, initFile } from './init-file.ts';
import { askAnswers, defaultAnswers, type GivenAnswers, withTerminal } from './init-questions.ts';

export interface InitOptions {
  readonly upstream: readonly string[];
  readonly domain: readonly string[];
  readonly cert?: string;
  readonly key?: string;
  readonly health?: string;
  readonly listen?: string;
}

/** The file that `check` and `run` read without an argument. */
const DEFAULT_FILE = 'fairlead.yaml';
/** Stands for the answer that is still open, so that the options can be validated before the first question. */
const SOME_URL = 'http://127.0.0.1:3000';

/** Writes the file and says what to do next. An existing file is never overwritten; an invalid one never written. */
export function init(file: string, options: InitOptions): Promise<void> {
  return attempt(async () => {
    if (existsSync(file)) throw overwriting(file);
    const { upstream: upstreams, domain: domains, cert, key, health, listen } = options;
    if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key belong together');
    const text = initFile(await answersOf({ upstreams, domains, cert, key, health, listen }, file));
    const loaded = load(text, file);
    printProblems(loaded.ok ? loaded.warnings : loaded.problems);
    if (!loaded.ok) {
      console.error(`fairlead: ${file} not written: the options above are invalid`);
      process.exitCode = EXIT.usage;
      return;
    }
    write(file, text);
    const name = file === DEFAULT_FILE ? '' : ` ${file}`;
    console.log(`${file} written. Next: fairlead check${name}, then fairlead run${name}`);
  });
}

function load(text: string, file: string) {
  const directory = path.dirname(path.resolve(file));
  return loadConfigText(text, { file, directory, environment: process.env, wallMs: systemClock.wallMs() });
}

/** At a terminal, asks unless the endpoints were given: a script that gives them never waits for input. */
async function answersOf(given: GivenAnswers, file: string): Promise<InitAnswers> {
  if (given.upstreams.length > 0) return defaultAnswers(given);
  if (!process.stdin.isTTY) {
    throw new UsageError('without a terminal, init needs --upstream URL, such as --upstream http://127.0.0.1:3000');
  }
  const errorsOf = (answers: InitAnswers): readonly string[] => {
    const loaded = load(initFile(answers), file);
    return loaded.ok ? [] : loaded.problems.map(({ message }) => message);
  };
  const errors = errorsOf(defaultAnswers({ ...given, upstreams: [SOME_URL] }));
  if (errors.length > 0) throw new UsageError(errors.join('\n'));
  return withTerminal((terminal) => askAnswers(given, { ...terminal, errorsOf }));
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw overwriting(file);
    throw new UsageError(`${file} can't be written: ${(error as Error).message}`);
  }
}

function overwriting(file: string): UsageError {
  return new UsageError(`${file} exists and is not overwritten: remove it, or name another file`);
}
