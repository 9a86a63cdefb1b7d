// Options of the chaos run. Thread: main.

import { parseArgs } from 'node:util';
import { type Balance, PROFILES, type ProfileName } from './proxies/proxy.ts';
import { PROXIES } from './proxies/registry.ts';
import { ALL_SCENARIOS, SCENARIOS } from './scenarios/registry.ts';

const SCENARIO_NAMES = [...SCENARIOS.map(({ name }) => name), ALL_SCENARIOS];
const PROFILED = SCENARIOS.filter(({ hasProfiles }) => hasProfiles === true).map(({ name }) => name);
const PROXY_NAMES = PROXIES.map(({ name }) => name);
const BOTH = 'both';
/** Exit code when --most left runs undone. */
export const MORE_TO_MEASURE = 3;

export const HELP = `npm run chaos -- [options]
Sends requests through Fairlead and each installed peer while endpoints are killed, stopped, reset every request, answer
503 or answer late and reports the results of the clients. The same seed gives every proxy the same faults and requests.

  --scenario NAME      one of: ${SCENARIO_NAMES.slice(0, 5).join(', ')},
                       ${SCENARIO_NAMES.slice(5).join(', ')} (default: faults);
                       all: faults with every seed, under round robin too; bursts with the first seed; and each of
                       the others with the first seed and without Caddy
  --profile NAME       defaults: the proxies as their manuals' basic examples configure them;
                       recommended: tuned for availability (Fairlead by docs/operations.md, "Fast failover");
                       both, as two tables (default). For ${PROFILED.join(' and ')}; the others use recommended
  --seeds 1,2,3,4,5    one run for each proxy and seed
  --seconds N          length of a run, where the scenario has no length of its own
  --rate N             requests per second, likewise
  --proxies A,B        of ${PROXY_NAMES.join(', ')}; all (default)
  --balance NAME       least-request (default), round-robin or peak-ewma, for all proxies that have it, with the
                       recommended settings
  --workers N          workers or threads of each proxy (2)
  --pin                client and endpoints on one core, the proxy on another
  --check              exit with 1 if Fairlead misses a goal, or one could not be judged because the client was late
  --results FILE       keeps all figures; completed runs in it are not measured again
  --most N             at most N runs now; exits with ${MORE_TO_MEASURE} while runs remain (for --results)
  --report             reports the completed runs in the results without measuring
  --markdown FILE      puts the report into FILE, between its markers (docs/chaos.md has them)
  --verbose            faults, every failed and the slowest requests with the proxy's log records of them`;

export interface ChaosOptions {
  readonly scenario: string;
  readonly seeds: readonly number[];
  readonly seconds: number | null;
  readonly rate: number | null;
  readonly proxies: readonly string[];
  readonly balance: Balance;
  readonly workers: number;
  readonly profiles: readonly ProfileName[];
  readonly isPinned: boolean;
  readonly isChecked: boolean;
  readonly resultsFile: string | null;
  readonly mostRuns: number;
  readonly isReportOnly: boolean;
  readonly markdownFile: string | null;
  readonly isVerbose: boolean;
}

/** Returns null for --help. @throws Error with a message for the user */
export function readOptions(args: readonly string[]): ChaosOptions | null {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.help === true) return null;
  return {
    scenario: oneOf('--scenario', values.scenario, SCENARIO_NAMES),
    seeds: values.seeds.split(',').map((seed) => wholeNumber('--seeds', seed)),
    seconds: values.seconds === undefined ? null : wholeNumber('--seconds', values.seconds),
    rate: values.rate === undefined ? null : wholeNumber('--rate', values.rate),
    proxies: proxiesOf(values.proxies),
    balance: oneOf('--balance', values.balance, ['least-request', 'round-robin', 'peak-ewma'] as const),
    workers: wholeNumber('--workers', values.workers),
    profiles: profilesOf(values),
    isPinned: values.pin === true,
    isChecked: values.check === true,
    resultsFile: values.results ?? null,
    isReportOnly: values.report === true,
    mostRuns: values.most === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--most', values.most),
    markdownFile: values.markdown ?? null,
    isVerbose: values.verbose === true,
  };
}

/** Profiles to run. @throws Error when the scenario or the balancer excludes the named one */
function profilesOf({ profile, scenario, balance }: Record<'profile' | 'scenario' | 'balance', string>) {
  const named = oneOf('--profile', profile, [...PROFILES, BOTH]);
  if (named === BOTH) return PROFILES;
  if (named === 'defaults' && balance !== 'least-request') {
    throw new Error('--balance: the profile defaults has a balancer of its own, use --profile recommended');
  }
  if (named === 'defaults' && ![...PROFILED, ALL_SCENARIOS].includes(scenario)) {
    throw new Error(`--profile: ${scenario} runs with recommended settings only`);
  }
  return [named];
}

const OPTIONS = {
  scenario: { type: 'string', default: 'faults' },
  seeds: { type: 'string', default: '1,2,3,4,5' },
  seconds: { type: 'string' },
  rate: { type: 'string' },
  proxies: { type: 'string', default: 'all' },
  balance: { type: 'string', default: 'least-request' },
  workers: { type: 'string', default: '2' },
  profile: { type: 'string', default: BOTH },
  pin: { type: 'boolean' },
  check: { type: 'boolean' },
  results: { type: 'string' },
  most: { type: 'string' },
  report: { type: 'boolean' },
  markdown: { type: 'string' },
  verbose: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

function proxiesOf(text: string): readonly string[] {
  if (text === 'all') return PROXY_NAMES;
  return text.split(',').map((name) => oneOf('--proxies', name, PROXY_NAMES));
}

function oneOf<Name extends string>(option: string, given: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === given);
  if (found === undefined) throw new Error(`${option}: ${given} is none of ${names.join(', ')}`);
  return found;
}

function wholeNumber(option: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${option}: ${text} is not a whole number above zero`);
  return Number(text);
}
