// Memory that one hostile HTTP/2 connection holds: the growth of heap and buffers over identical connections, divided by their
// number. The bounds are those that docs/http2.md states. Thread: main.
// Own process: its memory is measured.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import type { ClientSide } from '../../../../../core/exchange-contract.ts';
import { Bench } from '../../../../contract/proxy/downstream/bench.ts';
import { responseHead } from '../../../../contract/proxy/downstream/scripted-starter.ts';
import { sharedParts } from '../../../../support/http1-parts.ts';
import { HOLDING_NAMES, type HoldingName, STREAMS } from './http2-holder.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const CONNECTIONS = 16;
const CHUNK = Buffer.alloc(65_536);

/** Bounds that docs/http2.md states, in bytes. */
const CONNECTION_BYTES = 131_072;
const STREAM_BYTES = 12_288;
const BODY_BYTES = 65_536;
const RESPONSE_BYTES = 69_632;
/** Payload that a stream holds, beside its own state. */
const PAYLOADS: Readonly<Partial<Record<HoldingName, number>>> = {
  'bodies that no endpoint reads': BODY_BYTES,
  'large responses and windows of zero': RESPONSE_BYTES,
  'large responses and windows of one byte': RESPONSE_BYTES,
};

/** Heap and buffers. Buffers are freed behind a collection. */
async function heldBytes(): Promise<number> {
  for (let count = 0; count < 3; count += 1) {
    collect();
    await nextTurn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Sends as much of a large response as the client side takes. */
function respond(client: ClientSide): void {
  client.sendHead(responseHead({ length: 1_000_000_000 }), []);
  while (client.sendData(CHUNK));
}

describe('memory that one hostile connection holds', () => {
  let bench: Bench;
  let holder: Worker;
  let hasResponses = false;
  /** Exchanges that the starter keeps no longer. */
  let taken = 0;

  before(async () => {
    bench = await new Bench({ fast: sharedParts(), listener: { http2: true } }).start();
    bench.starter.onBegin = ({ client }) => {
      if (hasResponses) queueMicrotask(() => respond(client));
    };
    holder = new Worker(new URL('./http2-holder.ts', import.meta.url), { workerData: bench.port });
    await hold('idle');
    await release();
  });

  after(async () => {
    await holder.terminate();
    await bench.stop();
  });

  async function hold(name: HoldingName): Promise<void> {
    hasResponses = name.startsWith('large responses');
    holder.postMessage({ name, connections: CONNECTIONS });
    await once(holder, 'message');
  }

  async function release(): Promise<void> {
    holder.postMessage('close');
    while (bench.openConnections > 0) await nextTurn();
    for (; taken < bench.starter.begun; taken += 1) await bench.starter.next();
  }

  for (const name of HOLDING_NAMES) {
    test(name, async () => {
      const before = await heldBytes();
      await hold(name);
      const each = ((await heldBytes()) - before) / CONNECTIONS;
      await release();
      const payload = STREAMS * (PAYLOADS[name] ?? 0);
      const most = CONNECTION_BYTES + STREAMS * STREAM_BYTES + payload;
      assert.ok(each < most, `${Math.round(each)} bytes each, at most ${most} were expected`);
      // Otherwise the frames were not held, and nothing was measured.
      assert.ok(each > 0.8 * payload, `${Math.round(each)} bytes each, more than ${payload} were expected`);
    });
  }
});
