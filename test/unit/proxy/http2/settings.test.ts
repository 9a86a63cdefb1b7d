// Settings of the peer and flow-control windows. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ErrorCode } from '../../../../proxy/http2/error-code.ts';
import { ReceiveWindow, SendWindow } from '../../../../proxy/http2/flow-window.ts';
import { PeerSettings } from '../../../../proxy/http2/settings.ts';

function payload(...pairs: readonly (readonly [setting: number, value: number])[]): Buffer {
  const bytes = Buffer.alloc(pairs.length * 6);
  for (const [index, [setting, value]] of pairs.entries()) {
    bytes.writeUInt16BE(setting, index * 6);
    bytes.writeUInt32BE(value, index * 6 + 2);
  }
  return bytes;
}

function applied(...pairs: readonly (readonly [setting: number, value: number])[]): [PeerSettings, ErrorCode] {
  const settings = new PeerSettings();
  const bytes = payload(...pairs);
  return [settings, settings.apply(bytes, 0, bytes.length)];
}

describe('SETTINGS', () => {
  test('the last value of a setting applies, unknown ones are ignored', () => {
    const [settings, error] = applied([1, 0], [3, 7], [4, 1], [4, 2], [5, 16_384], [6, 9], [8, 1], [0x99, 5], [2, 0]);
    assert.equal(error, ErrorCode.NO_ERROR);
    assert.deepEqual(Object.fromEntries(Object.entries(settings)), {
      headerTableBytes: 0,
      maxConcurrentStreams: 7,
      initialWindowBytes: 2,
      maxFrameBytes: 16_384,
      maxHeaderListBytes: 9,
      enablesConnectProtocol: true,
    });
  });

  for (const [name, pairs, code] of [
    ['ENABLE_PUSH of 2', [[2, 2]], ErrorCode.PROTOCOL_ERROR],
    ['a window above 2^31 - 1', [[4, 0x80000000]], ErrorCode.FLOW_CONTROL_ERROR],
    ['a frame size below 16384', [[5, 16_383]], ErrorCode.PROTOCOL_ERROR],
    ['a frame size above 2^24 - 1', [[5, 0x1000000]], ErrorCode.PROTOCOL_ERROR],
    ['ENABLE_CONNECT_PROTOCOL of 2', [[8, 2]], ErrorCode.PROTOCOL_ERROR],
    [
      'ENABLE_CONNECT_PROTOCOL taken back',
      [
        [8, 1],
        [8, 0],
      ],
      ErrorCode.PROTOCOL_ERROR,
    ],
  ] as const) {
    test(`${name} is a connection error`, () => assert.equal(applied(...pairs)[1], code));
  }
});

describe('a send window', () => {
  test('may become negative by a smaller initial window, and recovers', () => {
    const window = new SendWindow(100);
    window.spend(80);
    assert.equal(window.adjust(-60), true);
    assert.equal(window.available, 0);
    assert.equal(window.adjust(50), true);
    assert.equal(window.available, 10);
  });

  test('may not exceed 2^31 - 1', () => {
    assert.equal(new SendWindow(0x7fffffff).adjust(1), false);
    assert.equal(new SendWindow(0x7ffffffe).adjust(1), true);
  });
});

describe('a receive window', () => {
  test('returns credit once half of it is consumed', () => {
    const window = new ReceiveWindow(100);
    assert.equal(window.receive(60), true);
    assert.equal(window.consume(49), 0);
    assert.equal(window.consume(11), 60);
    assert.equal(window.receive(100), true);
  });

  test('refuses bytes beyond it, also while they are not consumed', () => {
    const window = new ReceiveWindow(100);
    assert.equal(window.receive(100), true);
    assert.equal(window.receive(1), false);
  });

  test('never stops a peer whose bytes are consumed', () => {
    for (const size of [1, 2, 3, 65_535]) {
      const window = new ReceiveWindow(size);
      let open = size;
      for (let round = 0; round < 100; round += 1) {
        assert.ok(open > 0);
        const sent = Math.min(open, 1 + (round % 7));
        open -= sent;
        assert.equal(window.receive(sent), true);
        open += window.consume(sent);
      }
    }
  });
});
