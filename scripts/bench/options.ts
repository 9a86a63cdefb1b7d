// Options of `npm run bench`. No I/O. Thread: main.

import { parseArgs } from 'node:util';
import { type BenchCase, CASES } from './cases.ts';
import type { Cores } from './measure.ts';
import type { Proxy } from './proxies/proxy.ts';
import { PROXIES } from './proxies/registry.ts';

export interface BenchOptions {
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly rounds: number;
  readonly connections: number;
  readonly cases: readonly BenchCase[];
  readonly proxies: readonly Proxy[];
  readonly cores: Cores;
  readonly markdownFile: string | null;
  /** Whether a missed aim fails the command. */
  readonly isCheck: boolean;
  readonly isHelp: boolean;
}

export const HELP = `npm run bench -- [options]
Measures Fairlead and the proxies that are installed, one after the other, in front of an nginx.

  --seconds 4           length of a measurement, whole seconds
  --warmup 8            load before each measurement, whole seconds
  --rounds 3            measurements of each proxy in each case; medians are reported
  --connections 64      of the load
  --cases LIST          of ${CASES.map((one) => one.name).join(',')}
  --proxies LIST        of ${PROXIES.map((one) => one.name).join(',')}
  --cores 0,1           the proxy's; wrk's and the origin's; and, if given, the second worker's
  --markdown FILE       puts the results into FILE, between its markers (docs/benchmarks.md has them)
  --check               ends with 1 where an aim of the fast path is missed
Ends with 1 where a measurement failed, with 2 on wrong usage. Peers: scripts/install-peers.sh`;

/** Reads the arguments. @throws Error with a message for the user */
export function readBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '4' },
      // V8 takes that long with TLS until it has compiled what is hot: docs/benchmarks.md.
      warmup: { type: 'string', default: '8' },
      rounds: { type: 'string', default: '3' },
      connections: { type: 'string', default: '64' },
      cases: { type: 'string' },
      proxies: { type: 'string' },
      cores: { type: 'string', default: '0,1' },
      markdown: { type: 'string' },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    seconds: wholeNumber('seconds', values.seconds, 1),
    warmupSeconds: wholeNumber('warmup', values.warmup, 0),
    rounds: wholeNumber('rounds', values.rounds, 1),
    connections: wholeNumber('connections', values.connections, 1),
    cases: choose('cases', CASES, values.cases),
    proxies: choose('proxies', PROXIES, values.proxies),
    cores: readCores(values.cores),
    markdownFile: values.markdown ?? null,
    isCheck: values.check,
    isHelp: values.help,
  };
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least) return value;
  throw new Error(`--${name} takes a whole number from ${least}, not "${text}"`);
}

/** The named items in the order of the table; all of them without a list. */
function choose<T extends { readonly name: string }>(
  option: string,
  all: readonly T[],
  list: string | undefined,
): readonly T[] {
  if (list === undefined) return all;
  const names = list.split(',');
  const unknown = names.find((name) => all.every((one) => one.name !== name));
  if (unknown === undefined) return all.filter((one) => names.includes(one.name));
  throw new Error(`--${option}: unknown "${unknown}"; use ${all.map((one) => one.name).join(',')}`);
}

function readCores(text: string): Cores {
  const [proxy, load, second = load] = text.split(',').map((core) => String(wholeNumber('cores', core, 0)));
  if (
    proxy === undefined ||
    load === undefined ||
    second === undefined ||
    text.split(',').length > 3 ||
    proxy === load
  ) {
    throw new Error(`--cores takes two or three numbers of cores, the first two different, not "${text}"`);
  }
  return { proxy, load, second };
}
