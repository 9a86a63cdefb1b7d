// Availability under faults, measured: Fairlead and each installed peer, the same requests and the same faults. `npm run
// chaos -- --help` for options, docs/chaos.md for what is done and counted. Thread: main.

import { writeFileSync } from 'node:fs';
import { preparePrograms } from './bench/program.ts';
import { type Figures, figuresOf } from './chaos/figures.ts';
import { type ChaosOptions, HELP, readOptions } from './chaos/options.ts';
import { pinToCore } from './chaos/pin.ts';
import type { Proxy } from './chaos/proxies/proxy.ts';
import { PROXIES } from './chaos/proxies/registry.ts';
import { run } from './chaos/run.ts';
import { SCENARIOS } from './chaos/scenarios/registry.ts';
import type { Case, Scenario, ScenarioSettings } from './chaos/scenarios/scenario.ts';
import { storyOf } from './chaos/story.ts';
import { faultsTable, figuresTable, type Row } from './chaos/table.ts';

const LOAD_CORE = '1';
const PROXY_CORE = '0';

/** Of one seed: by name of the proxy, by name of the case. */
type Results = Map<string, Map<string, Figures>>;

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === null) {
    console.log(HELP);
    return 0;
  }
  preparePrograms();
  if (options.isPinned) await pinToCore(LOAD_CORE);
  const scenario = SCENARIOS.find(({ name }) => name === options.scenario)!;
  const proxies = installed(options);
  const all: Record<number, unknown> = {};
  const misses: string[] = [];
  for (const seed of options.seeds) {
    const settings = { ...options, seed };
    const results = await runSeed(scenario, settings, proxies, options);
    all[seed] = Object.fromEntries([...results].map(([name, byCase]) => [name, Object.fromEntries(byCase)]));
    misses.push(...report(scenario, settings, results));
  }
  if (options.jsonFile !== null) writeFileSync(options.jsonFile, JSON.stringify({ options, seeds: all }, null, 2));
  return options.isChecked && misses.length > 0 ? 1 : 0;
}

function installed(options: ChaosOptions): readonly Proxy[] {
  return PROXIES.filter((proxy) => {
    if (!options.proxies.includes(proxy.name)) return false;
    const version = proxy.version();
    const isFit = version !== null && proxy.balances(options.balance);
    console.log(
      `${proxy.name} ${version ?? 'is not installed'}${version === null || isFit ? '' : `: no ${options.balance}`}`,
    );
    return isFit;
  });
}

async function runSeed(
  scenario: Scenario,
  settings: ScenarioSettings,
  proxies: readonly Proxy[],
  options: ChaosOptions,
): Promise<Results> {
  const cases = scenario.cases(settings);
  console.log(`\n${scenario.name}, ${settings.balance}, seed ${settings.seed}: ${describe(cases)}`);
  const results: Results = new Map();
  for (const proxy of proxies) {
    const byCase = new Map<string, Figures>();
    for (const one of cases.filter(({ tuning }) => proxy.balances(tuning.balance))) {
      byCase.set(one.name, await runCase(proxy, one, options));
    }
    results.set(proxy.name, byCase);
  }
  return results;
}

async function runCase(proxy: Proxy, { name, plan, tuning }: Case, options: ChaosOptions): Promise<Figures> {
  const cores = options.isPinned ? PROXY_CORE : `0-${navigator.hardwareConcurrency - 1}`;
  return run({ proxy, plan, tuning, workers: options.workers, cores }, async (seen, running) => {
    if (options.isVerbose) console.log([`  ${proxy.name} ${name}`, ...(await storyOf(seen, running))].join('\n'));
    return figuresOf(seen);
  });
}

function describe(cases: readonly Case[]): string {
  return cases
    .map(({ name, plan }) => {
      const posts = plan.arrivals.filter(({ method }) => method === 'POST').length;
      const kinds = Object.entries(Object.groupBy(plan.faults, ({ kind }) => kind));
      const faults = kinds.map(([kind, ofKind]) => `${ofKind.length} ${kind}`).join(', ');
      return `${name} ${plan.arrivals.length} requests, ${posts} POSTs; ${faults || 'no faults'}`.trim();
    })
    .join(' | ');
}

/** Prints the tables. Returns what Fairlead misses. */
function report(scenario: Scenario, settings: ScenarioSettings, results: Results): readonly string[] {
  const rows: Row[] = [...results].flatMap(([proxy, byCase]) =>
    [...byCase].map(([name, figures]) => ({ name: `${proxy} ${name}`.trim(), figures })),
  );
  console.log(figuresTable(rows));
  console.log(`  failed, by fault\n${faultsTable(rows, ({ failedBy }) => failedBy)}`);
  console.log(`  slow, by fault\n${faultsTable(rows, ({ slowBy }) => slowBy)}`);
  const fairlead = results.get('fairlead');
  if (fairlead === undefined) return [];
  const peers = new Map([...results].filter(([name]) => name !== 'fairlead'));
  const misses = scenario.misses(fairlead, settings, peers);
  console.log(misses.length === 0 ? '  Fairlead holds its aims' : misses.map((miss) => `  missed: ${miss}`).join('\n'));
  return misses;
}

process.exitCode = await main();
