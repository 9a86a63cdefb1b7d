// Policies response-buffer and response-limit on the request path. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ForwardingBench, responseHead } from '../../../support/forwarding.ts';
import { routeSnapshot, snapshot } from '../../../support/snapshots.ts';

function benchWith(name: 'response-buffer' | 'response-limit', data: object): ForwardingBench {
  const stage = name === 'response-buffer' ? 'admit' : 'identify';
  const policies = [{ name, index: 0, stage, needs: ['transform-response-body'] as const, data } as const];
  return new ForwardingBench(snapshot({ routes: [routeSnapshot({ policies })] }));
}

/** A request whose response has begun. */
function begin(bench: ForwardingBench, bodyLength: number) {
  const client = bench.request();
  bench.last.events.onLease(false);
  bench.last.events.onHead({ ...responseHead(200), bodyLength, hasLength: bodyLength >= 0 });
  return client;
}

const bytes = (text: string): Buffer => Buffer.from(text);

describe('a response buffer', () => {
  test('frees the endpoint while the client is slow, and sends everything in order', () => {
    const bench = benchWith('response-buffer', { sizeBytes: 10 });
    const client = begin(bench, 9);
    client.hasRoom = false;
    const chunk = bytes('abc');
    assert.equal(bench.last.events.onData(chunk), true);
    for (const text of ['def', 'ghi']) {
      chunk.write(text);
      assert.equal(bench.last.events.onData(chunk), true);
    }
    bench.last.events.onEnd(null);
    assert.equal(bench.inflight(bench.last.slot), 0);
    assert.deepEqual(client.log, ['head 200', 'data abc']);
    client.events!.onClientDrain();
    assert.deepEqual(client.log, ['head 200', 'data abc', 'data def']);
    client.hasRoom = true;
    client.events!.onClientDrain();
    assert.deepEqual(client.log, ['head 200', 'data abc', 'data def', 'data ghi', 'end']);
  });

  test('stops the endpoint at its size', () => {
    const bench = benchWith('response-buffer', { sizeBytes: 4 });
    const client = begin(bench, -1);
    client.hasRoom = false;
    const { events } = bench.last;
    assert.deepEqual(
      ['a', 'bb', 'cc'].map((text) => events.onData(bytes(text))),
      [true, true, false],
    );
    client.hasRoom = true;
    client.events!.onClientDrain();
    assert.equal(bench.last.resumes, 1);
    events.onData(bytes('d'));
    events.onEnd(null);
    assert.deepEqual(client.log, ['head 200', 'data a', 'data bb', 'data cc', 'data d', 'end']);
  });
});

describe('response buffers of a process at its limits', () => {
  test('do not grow, and the endpoint goes on once they are empty', () => {
    const bench = benchWith('response-buffer', { sizeBytes: 1000 });
    const client = begin(bench, -1);
    client.hasRoom = false;
    const { events } = bench.last;
    assert.ok(events.onData(bytes('a')));
    assert.ok(events.onData(bytes('b')));
    bench.pressure = 0.8;
    assert.ok(!events.onData(bytes('c')), 'held, with what had arrived');
    client.events!.onClientDrain();
    assert.equal(bench.last.resumes, 0, 'something still waits');
    client.hasRoom = true;
    client.events!.onClientDrain();
    assert.equal(bench.last.resumes, 1);
    events.onData(bytes('d'));
    events.onEnd(null);
    assert.deepEqual(client.log.slice(1), ['data a', 'data b', 'data c', 'data d', 'end']);
  });
});

describe('a response limit', () => {
  test('answers 502 to a head that announces more', () => {
    const bench = benchWith('response-limit', { mostBytes: 4 });
    assert.deepEqual(begin(bench, 5).log, ['reply 502']);
    assert.equal(bench.last.isAborted, true);
    assert.deepEqual(begin(bench, 4).log, ['head 200']);
  });

  test('cuts a response of unknown length that is larger', () => {
    const bench = benchWith('response-limit', { mostBytes: 4 });
    const client = begin(bench, -1);
    bench.last.events.onData(bytes('abcd'));
    bench.last.events.onData(bytes('e'));
    assert.deepEqual(client.log, ['head 200', 'data abcd', 'cut']);
    assert.equal(bench.records.at(-1)!.termination, 'responseTooLarge');
    assert.equal(bench.last.isAborted, true);
    const whole = begin(bench, -1);
    bench.last.events.onData(bytes('abcd'));
    bench.last.events.onEnd(null);
    assert.deepEqual(whole.log, ['head 200', 'data abcd', 'end']);
  });
});
