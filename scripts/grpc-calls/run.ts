// Mixed gRPC calls through Fairlead while its endpoints are killed and restarted in turn. Thread: main.

import { setTimeout as sleep } from 'node:timers/promises';
import { EchoClient, GrpcEcho, type GrpcOutcome, type Method } from '../../test/support/grpc-echo.ts';

export interface GrpcRun {
  /** Port of a listener that sends gRPC calls to the endpoints, over HTTP/2 without TLS. */
  readonly port: number;
  readonly endpoints: GrpcEcho[];
  readonly calls: number;
  readonly concurrency: number;
  readonly killEveryMs: number;
}

export interface GrpcTally {
  /** Number of calls by kind and status: `unary 0`. */
  readonly outcomes: Map<string, number>;
  /** Details of unary calls that failed. */
  readonly failures: string[];
  /** Calls that succeeded with another response than the request demands. */
  wrong: number;
  kills: number;
}

const KINDS: readonly Method[] = ['unary', 'unary', 'client', 'server', 'bidi'];
const MESSAGE = Buffer.alloc(2000, 'm');
/** Of a response of `server`: it repeats its request as often as that is long. */
const SHORT = Buffer.alloc(40, 's');

export async function runGrpcCalls(run: GrpcRun): Promise<GrpcTally> {
  const tally: GrpcTally = { outcomes: new Map(), failures: [], wrong: 0, kills: 0 };
  const clients = Array.from({ length: 4 }, () => new EchoClient(run.port, null));
  const over = new AbortController();
  const killing = killInTurn(run, tally, over.signal);
  let next = 0;
  const loop = async (): Promise<void> => {
    for (let index = next++; index < run.calls; index = next++) await callOnce(clients[index % 4]!, index, tally);
  };
  await Promise.all(Array.from({ length: run.concurrency }, loop));
  over.abort();
  await killing;
  for (const client of clients) client.close();
  return tally;
}

async function callOnce(client: EchoClient, index: number, tally: GrpcTally): Promise<void> {
  const method = KINDS[index % KINDS.length]!;
  const messages = method === 'server' ? [SHORT] : [MESSAGE, MESSAGE];
  // Declares that a call may be repeated.
  const metadata = { 'idempotency-key': `call-${index}` };
  const outcome = await client.call(method, { messages, metadata });
  const key = `${method} ${outcome.code}`;
  tally.outcomes.set(key, (tally.outcomes.get(key) ?? 0) + 1);
  if (method === 'unary' && outcome.code !== 0) tally.failures.push(outcome.details);
  if (outcome.code === 0 && !isRight(method, outcome)) tally.wrong += 1;
}

function isRight(method: Method, { messages }: GrpcOutcome): boolean {
  const bytes = messages.reduce((sum, { length }) => sum + length, 0);
  return bytes === (method === 'server' ? SHORT.length ** 2 : method === 'unary' ? MESSAGE.length : 2 * MESSAGE.length);
}

/** One endpoint at a time is gone, for half of the interval. */
async function killInTurn({ endpoints, killEveryMs }: GrpcRun, tally: GrpcTally, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(killEveryMs / 2);
    const index = tally.kills % endpoints.length;
    const { port } = endpoints[index]!;
    endpoints[index]!.close();
    tally.kills += 1;
    await sleep(killEveryMs / 2);
    endpoints[index] = await GrpcEcho.listen(port);
  }
}
