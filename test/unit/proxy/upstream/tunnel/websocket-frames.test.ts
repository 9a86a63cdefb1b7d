// Frame boundaries of a WebSocket, for every split of the bytes. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { WebSocketFrames } from '../../../../../proxy/upstream/tunnel/websocket-frames.ts';

function frame(payloadBytes: number, isMasked: boolean): Buffer {
  const mask = isMasked ? 0x80 : 0;
  const head =
    payloadBytes < 126
      ? [0x82, mask | payloadBytes]
      : payloadBytes < 65_536
        ? [0x82, mask | 126, payloadBytes >> 8, payloadBytes & 255]
        : [0x82, mask | 127, 0, 0, 0, 0, 0, payloadBytes >> 16, (payloadBytes >> 8) & 255, payloadBytes & 255];
  return Buffer.concat([Buffer.from(head), Buffer.alloc((isMasked ? 4 : 0) + payloadBytes, 0xff)]);
}

const SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000];

describe('WebSocket frames', () => {
  for (const size of SIZES) {
    for (const isMasked of [false, true]) {
      test(`of ${size} bytes${isMasked ? ', masked,' : ''} end exactly at their last byte`, () => {
        const frames = new WebSocketFrames();
        assert.equal(frames.isBetween, true);
        const bytes = frame(size, isMasked);
        frames.take(bytes.subarray(0, -1));
        assert.equal(frames.isBetween, false);
        frames.take(bytes.subarray(-1));
        assert.equal(frames.isBetween, true);
      });
    }
  }

  test('end at the same offset for every split', () => {
    const sizes = fc.array(fc.constantFrom(0, 3, 126, 300, 65_536), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(sizes, fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1 }), (payloads, cuts) => {
        const bytes = Buffer.concat(payloads.map((size, index) => frame(size, index % 2 === 1)));
        const frames = new WebSocketFrames();
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const end = at + cuts[turn % cuts.length]!;
          frames.take(bytes.subarray(at, end));
          at = end;
        }
        assert.equal(frames.isBetween, true);
      }),
      { seed: 7, numRuns: 100 },
    );
  });
});
