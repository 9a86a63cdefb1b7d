// Compression queue: order, and the time that it takes of each turn of the event loop. Thread: worker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompressionQueue } from '../../../../proxy/policies/compression-queue.ts';

/** A queue whose jobs take 0.4 ms of a clock, and the turns that it has requested. */
class Bench {
  readonly ran: string[] = [];
  readonly turns: (() => void)[] = [];
  nowMs = 0;
  readonly queue = new CompressionQueue({
    inNextTurn: (act) => this.turns.push(act),
    nowMs: () => this.nowMs,
  });

  add(...names: string[]): void {
    for (const name of names) this.queue.add(() => this.#run(name));
  }

  #run(name: string): void {
    this.nowMs += 0.4;
    this.ran.push(name);
  }

  /** Begins the next turn. Returns the jobs that it runs. */
  turn(): string[] {
    this.ran.length = 0;
    this.turns.shift()!();
    return [...this.ran];
  }
}

test('jobs run at once until the turn has spent a millisecond, the others in later turns, oldest first', () => {
  const bench = new Bench();
  bench.add('a', 'b', 'c', 'd', 'e', 'f', 'g');
  assert.deepEqual(bench.ran, ['a', 'b', 'c']);
  assert.deepEqual(bench.turn(), ['d', 'e', 'f']);
  bench.add('h');
  assert.deepEqual(bench.turn(), ['g', 'h']);
  bench.add('i', 'j');
  assert.deepEqual(bench.ran, ['g', 'h', 'i'], 'what is left of a turn is used');
  assert.deepEqual(bench.turn(), ['j']);
  assert.deepEqual(bench.turn(), []);
  assert.equal(bench.turns.length, 0, 'an idle queue requests no turn');
});

test('one turn is requested at a time', () => {
  const bench = new Bench();
  for (let round = 0; round < 3; round++) {
    bench.add('a', 'b');
    assert.equal(bench.turns.length, 1);
    assert.deepEqual(bench.turn(), []);
  }
});

test('a job that another one adds runs after those that wait', () => {
  const bench = new Bench();
  bench.add('a', 'b', 'c');
  bench.queue.add(() => {
    bench.add('last');
    bench.ran.push('first');
  });
  bench.add('second');
  assert.deepEqual(bench.turn(), ['first', 'second', 'last']);
});
