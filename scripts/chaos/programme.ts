// Runs of a chaos command, in order. Pure. Thread: main.

import type { ChaosOptions } from './options.ts';
import type { Balance, ProfileName, Proxy } from './proxies/proxy.ts';
import type { ByCase } from './scenarios/aim.ts';
import { ALL_SCENARIOS, SCENARIOS } from './scenarios/registry.ts';
import type { Case, Scenario, ScenarioSettings } from './scenarios/scenario.ts';

/** A scenario with one seed. Proxies are compared within a part. */
export interface Part {
  /** Parts with the same title differ by their seeds. */
  readonly title: string;
  readonly scenario: Scenario;
  readonly settings: ScenarioSettings;
  readonly proxies: readonly Proxy[];
}

/** One run of one proxy. */
export interface Task {
  readonly part: Part;
  readonly proxy: Proxy;
  readonly case: Case;
}

/** @param installed the requested proxies that are installed */
export function programmeOf(options: ChaosOptions, installed: readonly Proxy[]): readonly Part[] {
  const { seeds, balance } = options;
  const add = (scenario: Scenario, given: readonly number[], by: Balance, among: readonly Proxy[]): readonly Part[] => {
    const proxies = among.filter((proxy) => proxy.balances(by));
    return profilesOf(scenario, by, options).flatMap((profile) => {
      const title = titleOf(scenario, by, profile);
      return given.map((seed) => ({ title, scenario, settings: { ...options, balance: by, profile, seed }, proxies }));
    });
  };
  if (options.scenario !== ALL_SCENARIOS) {
    return add(SCENARIOS.find(({ name }) => name === options.scenario)!, seeds, balance, installed);
  }
  const fairlead = installed.filter(({ name }) => name === 'fairlead');
  // Without Caddy, to save half an hour: these scenarios compare least-connections balancing.
  const usual = installed.filter(({ name }) => name !== 'caddy');
  const [main, ...others] = SCENARIOS;
  const slow = others.filter(({ hasOtherAimsByLatency }) => hasOtherAimsByLatency === true);
  return [
    ...add(main!, seeds, 'least-request', installed),
    ...add(main!, seeds, 'round-robin', fairlead),
    ...others.flatMap((scenario) =>
      add(scenario, seeds.slice(0, 1), 'least-request', scenario.hasProfiles === true ? installed : usual),
    ),
    ...slow.flatMap((scenario) => add(scenario, seeds.slice(0, 1), 'peak-ewma', fairlead)),
  ];
}

/** The defaults include the balancer, so another one runs with the recommended settings only. */
function profilesOf(scenario: Scenario, by: Balance, { profiles }: ChaosOptions): readonly ProfileName[] {
  if (scenario.hasProfiles !== true) return ['recommended'];
  return by === 'least-request' ? profiles : profiles.filter((profile) => profile !== 'defaults');
}

function titleOf({ name, hasProfiles }: Scenario, by: Balance, profile: ProfileName): string {
  if (hasProfiles !== true) return `${name}, ${by}`;
  return by === 'least-request' ? `${name}, ${profile}` : `${name}, ${profile}, ${by}`;
}

/** Whether there is something to report: the first proxy (Fairlead, if it takes part) has completed all cases. */
export function isReady({ scenario, settings, proxies }: Part, results: ReadonlyMap<string, ByCase>): boolean {
  const first = proxies[0];
  const byCase = first === undefined ? undefined : results.get(first.name);
  if (first === undefined || byCase === undefined) return false;
  return scenario.cases(settings).every(({ name, profile }) => !first.balances(profile.balance) || byCase.has(name));
}

/** Tasks in order of measurement: compared runs follow each other closely. */
export function tasksOf(parts: readonly Part[]): readonly Task[] {
  return parts.flatMap((part) => {
    const cases = part.scenario.cases(part.settings);
    return part.proxies.flatMap((proxy) =>
      cases.filter(({ profile }) => proxy.balances(profile.balance)).map((one) => ({ part, proxy, case: one })),
    );
  });
}

/** A case as text, for a line before the results. */
export function describeCase({ name, plan }: Case): string {
  const posts = plan.arrivals.filter(({ method }) => method === 'POST').length;
  const kinds = Object.entries(Object.groupBy(plan.faults, ({ kind }) => kind));
  const faults = kinds.map(([kind, ofKind]) => `${ofKind.length} ${kind}`).join(', ');
  return `${name} ${plan.arrivals.length} requests, ${posts} POSTs; ${faults || 'no faults'}`.trim();
}
