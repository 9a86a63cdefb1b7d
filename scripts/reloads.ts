// Fifty reloads in thirty seconds under load (`npm run reloads`): counts failed requests and cut streams, and records
// memory. Options: --seconds, --reloads, --rate, --streams. Exit code 1 when something was lost. Thread: main.

import { measureReloads } from './reloads/run.ts';
import { readArguments } from './usage.ts';

const USAGE = `npm run reloads -- [--seconds 30] [--reloads 50] [--rate 2000] [--streams 20]
Reloads Fairlead under load. Ends with 1 where a request failed or a stream was cut.

  --rate N      requests a second
  --streams N   open responses that last as long as the run`;

const { values } = readArguments(USAGE, {
  seconds: { type: 'string', default: '30' },
  reloads: { type: 'string', default: '50' },
  rate: { type: 'string', default: '2000' },
  streams: { type: 'string', default: '20' },
});
const result = await measureReloads({
  seconds: Number(values.seconds),
  reloads: Number(values.reloads),
  perSecond: Number(values.rate),
  streams: Number(values.streams),
});
const { requests, seconds, failures, longestMs, changes, longestReloadMs, broken, rssMib, generations } = result;
const changeCount = changes.reduce((sum, count) => sum + count, 0);
console.log(`${changes.length} reloads, ${changeCount} changes; the longest took ${Math.round(longestReloadMs)} ms`);
console.log(
  `${requests} requests in ${seconds.toFixed(1)} s, ${Math.round(requests / seconds)}/s; longest ${Math.round(longestMs)} ms`,
);
console.log(`failed: ${[...failures].map(([what, count]) => `${count} ${what}`).join(', ') || 'none'}`);
console.log(`streams cut: ${broken.join(', ') || 'none'}; generations that are left: ${generations}`);
console.log(`RSS in MiB, twice a second: ${rssMib.join(' ')}`);
process.exit(failures.size > 0 || broken.length > 0 ? 1 : 0);
