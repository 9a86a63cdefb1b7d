// Nanoseconds per pick and per rebuild of every balancer, by number of endpoints. Thread: main.
// Usage: node scripts/bench/pick.ts [--only NAME[,NAME]] [--sizes 3,10,100,256,1000] [--rebuilds]
// Names are those of BALANCES in test/support/balancing.ts.

import { parseArgs } from 'node:util';
import { bench, do_not_optimize, group, run } from 'mitata';
import { selectCandidates } from '../../balancers/candidates.ts';
import { buildBalancer } from '../../balancers/registry.ts';
import { seededRandom } from '../../core/random.ts';
import { BALANCES, Balancing } from '../../test/support/balancing.ts';

type BalanceName = keyof typeof BALANCES;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    sizes: { type: 'string', default: '3,10,100,256,1000' },
    rebuilds: { type: 'boolean', default: false },
  },
});
const names = (values.only?.split(',') ?? Object.keys(BALANCES)) as BalanceName[];
const sizes = values.sizes.split(',').map(Number);

for (const name of names) {
  group(name, () => {
    for (const size of sizes) (values.rebuilds ? benchRebuild : benchPick)(name, size);
  });
}
await run({ colors: false });

/** An upstream under load, with costs for peak-ewma; weights 1 to 3. */
function loaded(name: BalanceName, size: number): Balancing {
  const weights = Array.from({ length: size }, (_, index) => 1 + (index % 3));
  const balancing = new Balancing({ balance: BALANCES[name], weights });
  const random = seededRandom(size);
  for (let slot = 0; slot < size; slot++) {
    balancing.setInflight(slot, Math.floor(random.next() * 8));
    balancing.observer?.answered(slot, 5 + random.next() * 20, random.next() * 5000);
  }
  balancing.request.nowMs = 6000;
  return balancing;
}

function benchPick(name: BalanceName, size: number): void {
  const balancing = loaded(name, size);
  const { picker, request } = balancing;
  bench(`pick of ${size}`, () => {
    request.hash1 = (request.hash1 + 0x9e3779b9) >>> 0;
    do_not_optimize(picker.pick(request));
  });
}

/** The additional cost of a pick after the epoch moved. */
function benchRebuild(name: BalanceName, size: number): void {
  const { upstream, region, random } = loaded(name, size);
  const context = { region, upstreamIndex: upstream.index, worker: 0, random };
  const previous = selectCandidates(upstream, region, null);
  bench(`rebuild of ${size}`, () => {
    do_not_optimize(buildBalancer(upstream.balance, selectCandidates(upstream, region, previous), context));
  });
}
