// Turns of the event loop: output at their end, deferred callbacks in a turn of their own. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../../../core/clock.ts';
import { Turn } from '../../../../proxy/wire/turn.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Turn', () => {
  test('output is flushed when the outermost turn ends, and at once outside of a turn', () => {
    const turn = new Turn(systemClock);
    const seen: string[] = [];
    turn.begin();
    turn.begin();
    turn.later({ flush: () => seen.push('flushed') });
    turn.end();
    assert.equal(seen.length, 0);
    turn.end();
    assert.equal(seen.join(), 'flushed');
    turn.later({ flush: () => seen.push('at once') });
    assert.equal(seen.join(), 'flushed,at once');
  });

  test('deferred callbacks run in one turn, in order, and their output leaves after all of them', async () => {
    const turn = new Turn(systemClock);
    const seen: string[] = [];
    const putOff = (name: string): void =>
      turn.afterThis(() => {
        seen.push(name);
        turn.later({ flush: () => seen.push(`${name} flushed`) });
      });
    putOff('a');
    putOff('b');
    assert.equal(seen.length, 0);
    await nextTurn();
    assert.deepEqual(seen, ['a', 'b', 'a flushed', 'b flushed']);
  });

  test('callbacks deferred meanwhile wait for the next turn', async () => {
    const turn = new Turn(systemClock);
    const seen: string[] = [];
    turn.afterThis(() => {
      seen.push('first');
      turn.afterThis(() => seen.push('second'));
    });
    await nextTurn();
    assert.deepEqual(seen, ['first']);
    await nextTurn();
    assert.deepEqual(seen, ['first', 'second']);
  });
});
