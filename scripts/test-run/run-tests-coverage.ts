// Coverage of the sources by the parts that run in one process per file and are deterministic. V8 records it, c8 merges it
// and compares it with the floors of .c8rc.json. Thread: main.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCommand, type StaticResult } from './run-tests-static.ts';

/** Parts that count. Integration tests run the product in workers and processes that are ended by force. */
const COVERED: readonly string[] = ['unit', 'contract', 'property', 'conformance'];
const VARIABLE = 'NODE_V8_COVERAGE';
/** V8 reports functions from a code cache imprecisely. */
const NO_CACHE_VARIABLE = 'NODE_DISABLE_COMPILE_CACHE';

export class Coverage {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'fairlead-coverage-'));

  /** The environment that records the processes of a part; empty if the part does not count. */
  variablesOf(partName: string): NodeJS.ProcessEnv {
    return COVERED.includes(partName) ? { [VARIABLE]: this.#folder, [NO_CACHE_VARIABLE]: '1' } : {};
  }

  /** Merges the records, removes them, and fails below a floor. */
  async check(): Promise<StaticResult> {
    const command = ['c8', 'report', '--merge-async', '--temp-directory', this.#folder];
    const result = await runCommand({ kind: 'static', name: 'coverage', command });
    rmSync(this.#folder, { recursive: true, force: true });
    return { ...result, output: oneLine(result) };
  }
}

/** `Lines : 93.1% ( 1/2 )` of each figure in one line; on a failure all that c8 printed. */
function oneLine({ hasPassed, output }: StaticResult): string {
  if (!hasPassed) return output;
  const figures = [...output.matchAll(/^(Branches|Functions|Lines)\s*: ([\d.]+%)/gm)];
  return figures.map((match) => `${match[1]!.toLowerCase()} ${match[2]!}`).join(', ');
}
