// Replay buffers: the limit of one, and of all together. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { failureOf } from '../../../../core/failure.ts';
import { ReplayBudget, ReplayBuffer } from '../../../../proxy/exchange/replay-buffer.ts';
import { ForwardingBench } from '../../../support/forwarding.ts';
import { snapshot } from '../../../support/snapshots.ts';

const bytes = (count: number): Uint8Array => new Uint8Array(count);

describe('a replay buffer', () => {
  test('keeps a body within its limit, and nothing of a larger one', () => {
    const budget = new ReplayBudget(() => 1_000);
    const buffer = new ReplayBuffer(10, budget);
    buffer.add(bytes(6));
    buffer.add(bytes(4));
    assert.deepEqual([buffer.isComplete, buffer.chunks.length, budget.usedBytes], [true, 2, 10]);
    buffer.add(bytes(1));
    assert.deepEqual([buffer.isComplete, buffer.chunks.length, budget.usedBytes], [false, 0, 0]);
    buffer.add(bytes(1));
    assert.deepEqual([buffer.isComplete, budget.usedBytes], [false, 0]);
  });

  test('keeps nothing once the shared memory is used up, and releases its part', () => {
    let limitBytes = 10;
    const budget = new ReplayBudget(() => limitBytes);
    const [first, second] = [new ReplayBuffer(100, budget), new ReplayBuffer(100, budget)];
    first.add(bytes(8));
    second.add(bytes(3));
    assert.deepEqual([first.isComplete, second.isComplete, budget.usedBytes], [true, false, 8]);
    first.discard();
    first.discard();
    assert.equal(budget.usedBytes, 0);
    limitBytes = 2;
    const third = new ReplayBuffer(100, budget);
    third.add(bytes(3));
    assert.equal(third.isComplete, false);
  });
});

describe('bodies of exchanges', () => {
  test('are forwarded whole beyond the buffer, but not retried', () => {
    const made = snapshot();
    const bench = new ForwardingBench({ ...made, overload: { ...made.overload, replayBytes: 4 } });
    const client = bench.request({ method: 'PUT', bodyLength: 8 });
    bench.last.events.onLease(false);
    bench.last.events.onBodyWanted();
    client.events!.onBodyData(Buffer.from('four'));
    client.events!.onBodyData(Buffer.from('more'));
    client.events!.onBodyEnd(null);
    assert.deepEqual(bench.last.sent, ['four', 'more']);
    bench.last.events.onFailure(failureOf('reset', true));
    assert.equal(bench.attempts.length, 1);
    assert.equal(client.reply?.status, 502);
  });

  test('release their memory when their exchanges end', () => {
    const made = snapshot();
    const bench = new ForwardingBench({ ...made, overload: { ...made.overload, replayBytes: 4 } });
    for (let i = 0; i < 3; i++) {
      const client = bench.request({ method: 'PUT', bodyLength: 4 });
      bench.last.events.onBodyWanted();
      client.events!.onBodyData(Buffer.from('four'));
      client.events!.onBodyEnd(null);
      client.events!.onClientGone('closed');
    }
    const client = bench.request({ method: 'PUT', bodyLength: 4 });
    bench.last.events.onBodyWanted();
    client.events!.onBodyData(Buffer.from('four'));
    client.events!.onBodyEnd(null);
    const before = bench.attempts.length;
    bench.last.events.onFailure(failureOf('reset', true));
    bench.advance(300);
    assert.equal(bench.attempts.length, before + 1, 'it was kept, so it can be sent again');
    assert.deepEqual(bench.last.sent, []);
    bench.last.events.onBodyWanted();
    assert.deepEqual(bench.last.sent, ['four']);
  });
});
