// The watch for want of file descriptors.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HEADER } from '../../../../core/memory/layout.ts';
import { Region } from '../../../../core/memory/region.ts';
import { DescriptorWatch } from '../../../../control/supervisor/descriptor-watch.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

/** A watch whose looks end as `code` says; '' is well. */
function watch() {
  const region = Region.allocate({ endpoints: 1, upstreams: 1, workers: 1, listeners: 1 }, 0);
  const clock = new FakeClock();
  const said: object[] = [];
  const state = { code: '' };
  const probe = (): void => {
    if (state.code !== '') throw Object.assign(new Error(state.code), { code: state.code });
  };
  const under = new DescriptorWatch(region, clock, (_text, fields) => said.push(fields), probe);
  return { under, clock, said, state, shortages: () => region.words[HEADER.descriptorShortages.index] };
}

describe('the watch for descriptors', () => {
  test('says at once that none is left, again every ten seconds, and counts each look', () => {
    const { under, clock, said, state, shortages } = watch();
    under.start();
    clock.advance(3000);
    assert.deepEqual([said.length, shortages()], [0, 0]);
    state.code = 'EMFILE';
    clock.advance(20_000);
    assert.deepEqual([said, shortages()], [[{ error: 'EMFILE' }, { error: 'EMFILE' }], 20]);
  });

  test('says so again where they have run out anew', () => {
    const { under, clock, said, state } = watch();
    under.start();
    for (const code of ['EMFILE', '', 'ENFILE', '']) {
      state.code = code;
      clock.advance(1000);
    }
    assert.deepEqual(said, [{ error: 'EMFILE' }, { error: 'ENFILE' }]);
  });

  test('takes no other trouble for a shortage, and ends when it is stopped', () => {
    const { under, clock, said, state, shortages } = watch();
    state.code = 'EACCES';
    under.start();
    clock.advance(5000);
    under.stop();
    assert.deepEqual([said.length, shortages(), clock.pendingCount], [0, 0, 0]);
  });

  test('looks at the real thing', () => {
    const region = Region.allocate({ endpoints: 1, upstreams: 1, workers: 1, listeners: 1 }, 0);
    const clock = new FakeClock();
    const under = new DescriptorWatch(region, clock, () => assert.fail('there are descriptors'));
    under.start();
    clock.advance(1000);
    assert.equal(region.words[HEADER.descriptorShortages.index], 0);
  });
});
