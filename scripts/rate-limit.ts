// A rate limit over two workers and 20 connections (`npm run rate-limit`): requests that it allows in 30 s against its rate.
// Options: --seconds, --rate, --connections, --workers. Exit code 1 when it is off by more than 1 %. Thread: main.

import { FairleadProcess } from './peers/fairlead-process.ts';
import { measureRate } from './rate-limit/measure.ts';
import { readArguments } from './usage.ts';

const USAGE = `npm run rate-limit -- [--seconds 30] [--rate 100] [--connections 20] [--workers 2]
Measures a rate limit over several workers. Ends with 1 where it is off by more than 1 %.

  --rate N   requests a second that the limit allows`;

const MOST_OFF = 0.01;

const { values } = readArguments(USAGE, {
  seconds: { type: 'string', default: '30' },
  rate: { type: 'string', default: '100' },
  connections: { type: 'string', default: '20' },
  workers: { type: 'string', default: '2' },
});
const perSecond = Number(values.rate);
const burst = perSecond * 2;

const fairlead = await FairleadProcess.start(
  ({ web, admin }) => `workers: ${values.workers}
listeners: [{ name: web, bind: "127.0.0.1:${web}" }]
admin: { bind: "127.0.0.1:${admin}" }
routes: [{ rateLimit: { rate: ${perSecond}/s, burst: ${burst} }, respond: { body: ok } }]
`,
);
try {
  const [seconds, connections] = [Number(values.seconds), Number(values.connections)];
  const port = Number(new URL(fairlead.url).port);
  const { allowed, refused, least, most } = await measureRate({
    port,
    path: '/',
    connections,
    seconds,
    burst,
    perSecond,
  });
  const off = Math.max(0, (least - allowed) / least, (allowed - most) / most);
  console.log(
    `${allowed} requests allowed, ${refused} refused in ${seconds} s; ${least.toFixed(1)} to ${most.toFixed(1)} expected`,
  );
  console.log(off === 0 ? 'exact' : `off by ${(off * 100).toFixed(2)} %`);
  process.exitCode = off > MOST_OFF ? 1 : 0;
} finally {
  await fairlead.stop();
}
