// Certificates that change on disk under a stream of new TLS connections: counts failed handshakes. `npm run
// certificate-swaps`. Options: --swaps, --rate, --workers. Exit code 1 when a handshake failed. Thread: main.

import { swapUnderLoad } from './certificate-swaps/run.ts';
import { readArguments } from './usage.ts';

const USAGE = `npm run certificate-swaps -- [--swaps 200] [--rate 500] [--workers 2]
Replaces certificates on disk under new TLS connections. Ends with 1 where a handshake failed.

  --rate N   connections a second`;

const { values } = readArguments(USAGE, {
  swaps: { type: 'string', default: '200' },
  rate: { type: 'string', default: '500' },
  workers: { type: 'string', default: '2' },
});
const options = { swaps: Number(values.swaps), perSecond: Number(values.rate), workers: Number(values.workers) };
const { handshakes, failures, seconds, longestSwapMs } = await swapUnderLoad(options);
const rate = Math.round(handshakes / seconds);
console.log(`${options.swaps} swaps in ${seconds.toFixed(1)} s; the slowest was served after ${longestSwapMs} ms`);
console.log(`${handshakes} handshakes, ${rate}/s`);
console.log(`failed: ${[...failures].map(([what, count]) => `${count} ${what}`).join(', ') || 'none'}`);
process.exit(failures.size > 0 ? 1 : 0);
