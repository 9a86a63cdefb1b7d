// The body of a request behind our last GOAWAY was taken for DATA on a closed stream, which ended the connection and the
// streams that were still open. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../proxy/http2/error-code.ts';
import { Bench } from '../contract/proxy/downstream/bench.ts';
import { sharedParts } from '../support/http1-parts.ts';
import { fieldSection, FLAG, FRAME, frame, type Frame, requestFrame } from '../support/http2-frames.ts';
import { Http2Probe } from '../support/http2-probe.ts';
import { patientMs } from '../support/patience.ts';

const LIMIT_MS = patientMs(10_000);

async function until(probe: Http2Probe, isWanted: (frame: Frame) => boolean): Promise<Frame> {
  for (;;) {
    const event = await probe.next(LIMIT_MS);
    if (typeof event === 'string') throw new Error(`${event} before the frame`);
    if (isWanted(event)) return event;
  }
}

test('an upload behind the last GOAWAY is refused, and open streams are served', async () => {
  const bench = await new Bench({ fast: sharedParts(), listener: { http2: true } }).start();
  const probe = await Http2Probe.handshake({ port: bench.port, isTls: false });
  try {
    probe.send(requestFrame(1, [], true));
    const first = await bench.starter.next();
    const drained = bench.downstream.drain(60_000);
    const ping = await until(probe, ({ type }) => type === FRAME.ping);
    probe.send(frame(FRAME.ping, FLAG.ack, 0, ping.payload));
    const goaway = await until(probe, ({ type }) => type === FRAME.goaway);
    assert.equal(goaway.payload.readUInt32BE(0), 1);
    const body = frame(FRAME.data, 0, 3, Buffer.alloc(1000, 'x'));
    const trailers = frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 3, fieldSection(['x-sum', '1']));
    probe.send(requestFrame(3, [], false, 'POST'), body, body, trailers);
    const reset = await until(probe, ({ type }) => type === FRAME.rstStream);
    assert.deepEqual([reset.stream, reset.payload.readUInt32BE(0)], [3, ErrorCode.REFUSED_STREAM]);
    first.answer();
    await until(probe, ({ type, stream }) => type === FRAME.headers && stream === 1);
    await drained;
    assert.equal(bench.starter.begun, 1);
  } finally {
    probe.close();
    await bench.stop();
  }
});
