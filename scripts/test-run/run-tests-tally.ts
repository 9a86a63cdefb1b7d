// Counts the events of node:test for a folder of test files, and keeps failures and skips for the report. Thread: main.

import type { EventData } from 'node:test';
import type { TestEvent } from 'node:test/reporters';
import path from 'node:path';
import { inspect } from 'node:util';

/** A test to report. */
export interface NamedTest {
  /** File from the root, with the line. */
  readonly where: string;
  /** The names of the suites around it and its own, joined by " > ". */
  readonly name: string;
  /** Reason of the skip, or the failure. */
  readonly text: string;
}

/** The figures of node's own closing summary. A skipped suite counts as one skipped test. */
export interface Totals {
  tests: number;
  suites: number;
  pass: number;
  fail: number;
  cancelled: number;
  skipped: number;
  todo: number;
}

/** No tests at all. */
export function noTotals(): Totals {
  return { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };
}

/** Result of running one file. */
interface RunFile {
  readonly file: string;
  readonly events: readonly TestEvent[];
  /** Reason for which its process was killed, or null. */
  readonly hung: string | null;
}

interface FileNotes {
  output: string;
  remarks: string[];
  hasSummary: boolean;
  hasFailed: boolean;
  /** Reason for which its process was killed; null once a failure has reported it. */
  hung: string | null;
}

type Outcome = EventData.TestPass | EventData.TestFail;

/** Length of the shown end of a failed file's output. */
const SHOWN_OUTPUT_CHARS = 8_000;

/**
 * Sums up the events of test files, one file after the other. Stricter than node in two points: a file that ends before it
 * has reported its tests (it has none, or calls `process.exit(0)`) is a failure, and so is a hook that throws.
 */
export class Tally {
  readonly totals: Totals = noTotals();
  readonly failures: NamedTest[] = [];
  readonly skipped: NamedTest[] = [];
  readonly todo: NamedTest[] = [];
  readonly #root: string;
  readonly #files = new Map<string, FileNotes>();
  /** Names of the running tests, by nesting. */
  readonly #names: string[] = [];

  constructor(root: string) {
    this.#root = root;
  }

  /** Adds a file whose process has ended, and counts tests that it did not report. */
  addFile({ file, events, hung }: RunFile): void {
    const notes = this.#notes(file);
    notes.hung = hung;
    for (const event of events) this.#add(event);
    if (hung === null) {
      if (!notes.hasSummary && !notes.hasFailed) this.#addFileFailure(file, 'ended without reporting any test');
    } else if (notes.hung !== null) this.#addFileFailure(file, hung);
  }

  #add(event: TestEvent): void {
    switch (event.type) {
      case 'test:start':
        this.#names[event.data.nesting] = event.data.name;
        break;
      case 'test:pass':
      case 'test:fail':
        this.#addOutcome(event);
        break;
      case 'test:stdout':
      case 'test:stderr':
        this.#notes(event.data.file).output += event.data.message;
        break;
      case 'test:diagnostic':
        if (event.data.file !== undefined) this.#notes(event.data.file).remarks.push(event.data.message);
        break;
      case 'test:summary':
        if (event.data.file !== undefined) this.#notes(event.data.file).hasSummary = true;
        break;
    }
  }

  /** Output of the files with failures, by file; only the end of a long one. */
  outputOfFailed(): ReadonlyMap<string, string> {
    const failed = [...this.#files].filter(([, notes]) => notes.hasFailed && notes.output.trim() !== '');
    return new Map(
      failed.map(([file, notes]) => [this.#relative(file), notes.output.slice(-SHOWN_OUTPUT_CHARS).trimEnd()]),
    );
  }

  #addOutcome(event: Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>): void {
    const { data } = event;
    if (isWholeFile(data, this.#root)) {
      if (event.type === 'test:fail') this.#failFile(event.data);
      return;
    }
    const isSuite = data.details.type === 'suite';
    if (isSuite) this.totals.suites += 1;
    if (data.skip !== undefined) this.#set('skipped', this.skipped, data, data.skip);
    else if (data.todo !== undefined) this.#set('todo', this.todo, data, data.todo);
    else if (event.type === 'test:fail') this.#failTest(event.data, isSuite);
    else if (!isSuite) this.#count('pass');
  }

  #set(kind: 'skipped' | 'todo', list: NamedTest[], data: Outcome, why: string | boolean): void {
    this.#count(kind);
    list.push({
      where: this.#place(data),
      name: this.#fullName(data),
      text: why === true || why === '' ? 'no reason given' : String(why),
    });
  }

  #failTest(data: EventData.TestFail, isSuite: boolean): void {
    const { error } = data.details;
    const kind = failureType(error);
    if (isSuite && kind === 'subtestsFailed') return;
    this.totals.tests += 1;
    const isCancelled = kind === 'cancelledByParent' || kind === 'testAborted' || kind === 'testTimeoutFailure';
    const named = { where: this.#place(data), name: this.#fullName(data), text: describeError(error) };
    this.#fail(isCancelled ? 'cancelled' : 'fail', named, data.file);
  }

  #failFile(data: EventData.TestFail): void {
    const { error } = data.details;
    const notes = this.#notes(data.file);
    const remarks = notes.remarks.join('\n');
    const code: unknown = Reflect.get(error, 'exitCode');
    const how = notes.hung ?? (typeof code === 'number' ? `exit code ${code}` : describeError(error));
    notes.hung = null;
    this.totals.tests += 1;
    this.#fail('fail', { where: this.#place(data), name: 'the file', text: `${how}\n${remarks}`.trim() }, data.file);
  }

  #addFileFailure(file: string, text: string): void {
    this.totals.tests += 1;
    this.#fail('fail', { where: this.#relative(file), name: 'the file', text });
  }

  #fail(kind: 'fail' | 'cancelled', named: NamedTest, file = named.where): void {
    this.totals[kind] += 1;
    this.failures.push(named);
    this.#notes(file).hasFailed = true;
  }

  #count(kind: 'pass' | 'skipped' | 'todo'): void {
    this.totals.tests += 1;
    this.totals[kind] += 1;
  }

  #notes(file: string | undefined): FileNotes {
    const key = path.resolve(this.#root, file ?? '');
    const known = this.#files.get(key);
    if (known !== undefined) return known;
    const fresh = { output: '', remarks: [], hasSummary: false, hasFailed: false, hung: null };
    this.#files.set(key, fresh);
    return fresh;
  }

  #fullName(data: Outcome): string {
    return [...this.#names.slice(0, data.nesting), data.name].join(' > ');
  }

  #place(data: Outcome): string {
    return `${this.#relative(data.file ?? '')}:${data.line ?? 1}`;
  }

  #relative(file: string): string {
    return path.relative(this.#root, path.resolve(this.#root, file));
  }
}

/** Node reports a file as a test if it crashed, or if it had nothing to report. */
function isWholeFile(data: Outcome, root: string): boolean {
  return (
    data.nesting === 0 && data.file !== undefined && path.resolve(root, data.name) === path.resolve(root, data.file)
  );
}

function failureType(error: Error): unknown {
  return Reflect.get(error, 'failureType');
}

/** The error of the test, without node's own frames. */
function describeError(error: Error): string {
  const cause = error.cause instanceof Error ? error.cause : error;
  const text = inspect(cause, { depth: 4, colors: false });
  return text.replaceAll(/^\s+at .*\bnode:.*?( \{)?$\n?/gm, (_line, brace) => (brace ? '  {\n' : '')).trimEnd();
}
