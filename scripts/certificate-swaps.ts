// Certificates that change on disk under a stream of new TLS connections: counts failed handshakes. `npm run
// certificate-swaps`. Options: --swaps, --rate, --workers. Exit code 1 when a handshake failed. Thread: main.

import { parseArgs } from 'node:util';
import { swapUnderLoad } from './certificate-swaps/run.ts';

const { values } = parseArgs({
  options: {
    swaps: { type: 'string', default: '200' },
    rate: { type: 'string', default: '500' },
    workers: { type: 'string', default: '2' },
  },
});
const options = { swaps: Number(values.swaps), perSecond: Number(values.rate), workers: Number(values.workers) };
const { handshakes, failures, seconds, longestSwapMs } = await swapUnderLoad(options);
const rate = Math.round(handshakes / seconds);
console.log(`${options.swaps} swaps in ${seconds.toFixed(1)} s; the slowest was served after ${longestSwapMs} ms`);
console.log(`${handshakes} handshakes, ${rate}/s`);
console.log(`failed: ${[...failures].map(([what, count]) => `${count} ${what}`).join(', ') || 'none'}`);
process.exit(failures.size > 0 ? 1 : 0);
