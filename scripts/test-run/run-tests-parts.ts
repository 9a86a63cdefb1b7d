// Parts of `npm test`: the static checks and the folders of tests, and their selection by options. Thread: main.

import { parseArgs } from 'node:util';

/** A command that checks the tree without running it. */
export interface StaticPart {
  readonly kind: 'static';
  readonly name: string;
  /** A program of node_modules/.bin or `node`, and its arguments. */
  readonly command: readonly string[];
}

/**
 * Busy parts use the processor and run one after the other. Waiting parts, whose tests mostly wait, do so beside them. A
 * part that runs alone follows when both tracks have ended.
 */
export type TestTrack = 'busy' | 'waiting' | 'alone';

/** A folder of test files. */
export interface TestPart {
  readonly kind: 'test';
  readonly name: string;
  readonly folder: string;
  /** Processes at a time. */
  readonly concurrency: number;
  /** 1 if absent. More for files that are short beside the loading of their modules, and leave nothing behind. */
  readonly filesPerProcess?: number;
  readonly track: TestTrack;
}

export type Part = StaticPart | TestPart;

/** Options of the command line. */
export interface RunOptions {
  readonly parts: readonly Part[];
  /** Parts named by --only: such a folder must not be empty. */
  readonly named: readonly string[];
  /** Only tests with this in their name (a regular expression), or undefined. */
  readonly grep: string | undefined;
  /** The root of the folders of tests. */
  readonly root: string | undefined;
  /** Number of files that the closing table of CPU times lists; 0 without a table. */
  readonly slowest: number;
  /** Whether tests of any length run whole; a short version of each otherwise. */
  readonly isLong: boolean;
  /** Whether everything runs, so that coverage can be judged. */
  readonly isWhole: boolean;
}

// Limits on a quiet machine; a slow one multiplies them (run-tests-patience.ts).
/** Limit of one test. */
export const TEST_TIMEOUT_MS = 120_000;
/** A test file that reports nothing for this long is killed: it can't be loaded, or it loops. */
export const SILENCE_LIMIT_MS = 180_000;
/** Limit from the last test to the exit of the process, which a leaked socket, timer or thread prevents. */
export const EXIT_LIMIT_MS = 10_000;

/** The build itself isn't incremental: a state of its own would hide that dist/ is missing. */
const BUILD_TYPES_OPTIONS = [
  '--noEmit',
  '--incremental',
  '--tsBuildInfoFile',
  'node_modules/.cache/build-types.tsbuildinfo',
];

/** In the order in which they run. */
export function allParts(coreCount: number): readonly Part[] {
  return [
    { kind: 'static', name: 'types', command: ['tsc', '-p', '.'] },
    // Declarations can fail where the sources alone do not: a type that an export needs but no module exports.
    { kind: 'static', name: 'build-types', command: ['tsc', '-p', 'tsconfig.build.json', ...BUILD_TYPES_OPTIONS] },
    { kind: 'static', name: 'page-types', command: ['tsc', '-p', 'admin/dashboard'] },
    { kind: 'static', name: 'lint', command: ['oxlint', '--deny-warnings'] },
    { kind: 'static', name: 'format', command: ['biome', 'format', '.'] },
    { kind: 'static', name: 'layers', command: ['node', 'scripts/check-layers.ts'] },
    { kind: 'static', name: 'sizes', command: ['node', 'scripts/check-sizes.ts'] },
    { kind: 'static', name: 'words', command: ['node', 'scripts/check-words.ts'] },
    { kind: 'static', name: 'prose', command: ['node', 'scripts/check-prose.ts'] },
    { kind: 'static', name: 'unused', command: ['knip'] },
    ...testParts(coreCount),
  ];
}

function testParts(cores: number): TestPart[] {
  // An integration test starts its own worker threads, endpoints and clients: two files occupy two cores.
  const half = cores >> 1;
  const busy = { kind: 'test', track: 'busy', concurrency: cores } as const;
  const waiting = { kind: 'test', track: 'waiting', concurrency: Math.max(2, half) } as const;
  return [
    { ...busy, name: 'unit', folder: 'test/unit', filesPerProcess: 16 },
    { ...busy, name: 'contract', folder: 'test/contract', filesPerProcess: 5 },
    { ...busy, name: 'property', folder: 'test/property', filesPerProcess: 5 },
    { ...waiting, name: 'conformance', folder: 'test/conformance', concurrency: cores },
    { ...busy, name: 'fuzz', folder: 'test/fuzz' },
    // Three, as they also wait for timeouts.
    { ...busy, name: 'integration', folder: 'test/integration', concurrency: Math.max(3, half), filesPerProcess: 6 },
    { ...waiting, name: 'peers', folder: 'test/peers', filesPerProcess: 4 },
    // Counts failures under load: nothing else may run concurrently.
    { kind: 'test', track: 'alone', name: 'chaos', folder: 'test/chaos', concurrency: 1 },
    { ...waiting, name: 'migration', folder: 'test/migration', concurrency: 1 },
    { ...busy, name: 'regress', folder: 'test/regress', filesPerProcess: 6 },
  ];
}

/**
 * Reads `--only NAME,NAME` ('static' is all static checks, 'tests' all folders), `--grep TEXT`, `--long`, `--slowest COUNT`
 * and `--root DIR`.
 * With --grep alone only tests run. Throws an Error that names the known parts when a name is unknown.
 */
export function readOptions(args: readonly string[], coreCount: number): RunOptions {
  const text = { type: 'string' } as const;
  const options = {
    only: text,
    grep: text,
    root: text,
    slowest: text,
    long: { type: 'boolean', default: false },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const known = allParts(coreCount);
  const isWhole = values.only === undefined && values.grep === undefined && values.root === undefined;
  const only = values.only ?? (values.grep === undefined ? 'static,tests' : 'tests');
  const named = only.split(',');
  const { grep, root, long: isLong } = values;
  const slowest = Number(values.slowest ?? 0);
  if (!Number.isInteger(slowest) || slowest < 0) throw new Error('--slowest needs a number of files, such as 20');
  return { parts: chooseParts(known, named), named, grep, root, slowest, isLong, isWhole };
}

function chooseParts(known: readonly Part[], names: readonly string[]): Part[] {
  const groups: Record<string, Part['kind']> = { static: 'static', tests: 'test' };
  for (const name of names) {
    if (name in groups || known.some((part) => part.name === name)) continue;
    throw new Error(`unknown part "${name}": use static, tests, ${known.map((part) => part.name).join(', ')}`);
  }
  return known.filter((part) => names.some((name) => name === part.name || groups[name] === part.kind));
}
