// Thread of a churn run with the client and its endpoint: neither waits for main, so that latencies are those of Fairlead's
// workers. Requests are sent at a fixed rate, whether or not earlier ones have been answered; some go past Fairlead, to show what
// of a latency is the machine's. Thread: worker.

import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort } from 'node:worker_threads';

/** Sends requests to `url` from then on. Answered with what has been measured since the message before. */
export interface LoadMessage {
  readonly url: string;
}

export interface LoadMeasured {
  /** Of the requests that succeeded, in ms. */
  readonly times: readonly number[];
  /** Of those sent to the endpoint without Fairlead. */
  readonly direct: readonly number[];
  readonly failures: number;
}

/** Connections are spread over the workers. */
const CONNECTIONS = 16;
const EVERY_MS = 4;
/** One request in so many goes past Fairlead. */
const DIRECT_EVERY = 4;

if (parentPort !== null) await serve();

async function serve(): Promise<void> {
  const app = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
  await once(app, 'listening');
  const { port } = app.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, scheduling: 'fifo' });
  let [times, direct]: [number[], number[]] = [[], []];
  let failures = 0;
  let sent = 0;
  let timer: NodeJS.Timeout | undefined;
  parentPort!.on('message', ({ url }: LoadMessage) => {
    parentPort!.postMessage({ times, direct, failures } satisfies LoadMeasured);
    [times, direct, failures] = [[], [], 0];
    timer ??= setInterval(() => {
      const isDirect = sent++ % DIRECT_EVERY === 0;
      send(agent, isDirect ? `http://127.0.0.1:${port}/` : url, (tookMs) => {
        if (tookMs === null) failures++;
        else (isDirect ? direct : times).push(tookMs);
      });
    }, EVERY_MS);
  });
  parentPort!.postMessage(port);
}

/** @param done receives the time in ms; null where the request failed */
function send(agent: Agent, url: string, done: (tookMs: number | null) => void): void {
  const beganMs = performance.now();
  const request = get(url, { agent }, (response) => {
    response.resume();
    response.on('end', () => done(response.statusCode === 200 ? performance.now() - beganMs : null));
    response.on('error', () => done(null));
  });
  request.on('error', () => done(null));
}
