// Two processes that found a lock of a dead owner could both take it over: the second one displaced the lock of the first.
// Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { acquireLock } from '../../control/certificates/storage-lock.ts';
import { seededRandom } from '../../core/random.ts';
import { systemTimers } from '../../core/timers.ts';

const folder = mkdtempSync(join(tmpdir(), 'fairlead-locks-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const ROUNDS = 40;
const RIVALS = 30;

/** A lock of another machine that has not been refreshed for a minute. */
function abandon(name: string): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify({ host: 'other', pid: 1, nonce: name.replace('.', '') }));
  const then = Date.now() / 1000 - 61;
  utimesSync(file, then, then);
  return file;
}

describe('an abandoned lock', () => {
  test('is taken over by one of those that find it, whenever they come', async () => {
    const random = seededRandom(7);
    for (let round = 0; round < ROUNDS; round += 1) {
      const file = abandon(`round${round}.lock`);
      const rivals = Array.from({ length: RIVALS }, async () => {
        await delay(random.next() * 4);
        return await acquireLock(file, systemTimers);
      });
      const owners = (await Promise.all(rivals)).filter((lock) => lock !== null);
      assert.equal(owners.length, 1, `round ${round}`);
      await owners[0]!.release();
    }
    assert.deepEqual(readdirSync(folder), [], 'nothing is left');
  });

  test('is left alone while another process replaces it, and taken over after that one has died, too', async () => {
    const file = abandon('claimed.lock');
    const claim = `${file}.claimedlock`;
    const owner = { host: 'other', pid: 2, nonce: 'second' };
    writeFileSync(claim, JSON.stringify(owner));
    assert.equal(await acquireLock(file, systemTimers), null);
    const then = Date.now() / 1000 - 61;
    utimesSync(claim, then, then);
    const lock = await acquireLock(file, systemTimers);
    assert.notEqual(lock, null);
    await lock!.release();
    assert.deepEqual(readdirSync(folder), [], 'nothing is left');
  });
});
