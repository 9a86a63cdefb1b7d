// Clients that hold windows of HTTP/2 closed, or open them by the byte: what is held for them is bounded, and given up after
// the send timeout, while other connections are served. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench } from '../../../../contract/proxy/downstream/bench.ts';
import { responseHead, type ScriptedExchange } from '../../../../contract/proxy/downstream/scripted-starter.ts';
import { sharedParts } from '../../../../support/http1-parts.ts';
import { FRAME, requestFrame } from '../../../../support/http2-frames.ts';
import { type Http2Event, Http2Probe, settingsFrame, windowUpdateFrame } from '../../../../support/http2-probe.ts';
import { patientMs } from '../../../../support/patience.ts';

const LIMIT_MS = patientMs(10_000);
const SEND_IDLE_MS = 300;
const INITIAL_WINDOW_SIZE = 4;
const STREAMS = 200;
const CHUNK = Buffer.alloc(16_384);

interface Held {
  readonly bench: Bench;
  readonly probe: Http2Probe;
  readonly exchanges: ScriptedExchange[];
  /** Bytes that exchanges could send before they had to stop. */
  readonly taken: () => number;
}

/** A client whose windows are closed, and which has sent its requests. */
async function hold(): Promise<Held> {
  const bench = await new Bench({
    fast: sharedParts(),
    listener: { http2: true },
    timeouts: { sendIdleMs: SEND_IDLE_MS },
  }).start();
  const exchanges: ScriptedExchange[] = [];
  let takenBytes = 0;
  bench.starter.answerAll((exchange) => {
    exchanges.push(exchange);
    exchange.client.sendHead(responseHead({ length: 100 * CHUNK.length }), []);
    do takenBytes += CHUNK.length;
    while (exchange.client.sendData(CHUNK));
  });
  const probe = await Http2Probe.handshake({ port: bench.port, isTls: false });
  probe.send(settingsFrame([INITIAL_WINDOW_SIZE, 0]));
  probe.send(...Array.from({ length: STREAMS }, (_, at) => requestFrame(1 + 2 * at, [], true)));
  while (exchanges.length < STREAMS) await new Promise((resolve) => setImmediate(resolve));
  return { bench, probe, exchanges, taken: () => takenBytes };
}

/** Waits until so many streams were reset. */
async function untilReset(probe: Http2Probe, count: number): Promise<void> {
  const reset = new Set<number>();
  while (reset.size < count) {
    const event: Http2Event = await probe.next(LIMIT_MS);
    assert.ok(typeof event !== 'string', `the connection ended after ${reset.size} resets`);
    if (event.type === FRAME.rstStream) reset.add(event.stream);
  }
}

async function isServed(bench: Bench): Promise<boolean> {
  bench.starter.answerAll((exchange) => exchange.answer());
  const honest = await Http2Probe.handshake({ port: bench.port, isTls: false });
  honest.send(requestFrame(1, [], true));
  for (;;) {
    const event = await honest.next(LIMIT_MS);
    if (typeof event !== 'string' && event.type !== FRAME.headers) continue;
    honest.close();
    return typeof event !== 'string';
  }
}

test('200 closed windows hold a chunk each, and are given up after the send timeout', async () => {
  const { bench, probe, exchanges, taken } = await hold();
  try {
    assert.equal(taken(), STREAMS * CHUNK.length);
    assert.ok(await isServed(bench));
    await untilReset(probe, STREAMS);
    assert.ok(exchanges.every(({ gone }) => gone.join() === 'send-timeout'));
  } finally {
    probe.close();
    await bench.stop();
  }
});

test('windows opened by the byte are given up, too', async () => {
  const { bench, probe, exchanges } = await hold();
  // 20 bytes per second and stream; 240 are due.
  const dribble = setInterval(() => {
    probe.send(...Array.from({ length: STREAMS }, (_, at) => windowUpdateFrame(1 + 2 * at, 1)));
  }, 50);
  try {
    await untilReset(probe, STREAMS);
    assert.ok(exchanges.every(({ gone }) => gone.join() === 'send-timeout'));
    assert.ok(await isServed(bench));
  } finally {
    clearInterval(dribble);
    probe.close();
    await bench.stop();
  }
});
