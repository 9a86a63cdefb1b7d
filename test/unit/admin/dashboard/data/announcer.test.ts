// Announcements of changes to screen readers: immediate, but combined during a burst. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Announcer } from '../../../../../admin/dashboard/data/announcer.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';

test('the first change is said at once, a burst after a pause in one sentence', () => {
  const said: string[] = [];
  const clock = new FakeClock(0, 0);
  const announcer = new Announcer({ say: (text) => said.push(text), later: (then, ms) => void clock.after(ms, then) });
  announcer.note('api/1', 'is down');
  assert.deepEqual(said, ['api/1 is down.']);
  for (let i = 1; i <= 5; i++) announcer.note(`web/${i}`, 'is suspect');
  announcer.note('web/1', 'is down');
  clock.advance(3_999);
  assert.equal(said.length, 1);
  clock.advance(1);
  assert.equal(said[1], 'web/1 is down; web/2 is suspect; web/3 is suspect; 2 more endpoints changed.');
  clock.advance(10_000);
  assert.equal(said.length, 2);
  announcer.note('api/1', 'is up');
  assert.equal(said[2], 'api/1 is up.');
});
