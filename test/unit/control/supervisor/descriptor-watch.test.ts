// Detection of a shortage of file descriptors. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HEADER, WORKER } from '../../../../core/memory/layout.ts';
import { Region } from '../../../../core/memory/region.ts';
import { DescriptorWatch } from '../../../../control/supervisor/descriptor-watch.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

/** 20 of them are for clients. */
const OPEN_FILES = 80;

/** A watch whose probes fail with `state.code`; '' succeeds. */
function watch() {
  const region = Region.allocate({ endpoints: 1, upstreams: 1, workers: 1, listeners: 1 }, 0);
  const clock = new FakeClock();
  const logged: object[] = [];
  const state = { code: '' };
  const probe = (): void => {
    if (state.code !== '') throw Object.assign(new Error(state.code), { code: state.code });
  };
  const log = { warn: (fields: object) => void logged.push(fields) };
  const descriptors = new DescriptorWatch(region, clock, log, probe, OPEN_FILES);
  return { descriptors, clock, logged, state, region, shortages: () => region.words[HEADER.descriptorShortages.index] };
}

describe('the descriptor watch', () => {
  test('logs a shortage at once and every ten seconds, and counts each failed probe', () => {
    const { descriptors, clock, logged, state, shortages } = watch();
    descriptors.start();
    clock.advance(3000);
    assert.deepEqual([logged.length, shortages()], [0, 0]);
    state.code = 'EMFILE';
    clock.advance(20_000);
    assert.deepEqual([logged, shortages()], [[{ error: 'EMFILE' }, { error: 'EMFILE' }], 20]);
  });

  test('logs that clients use all of their share, at once and every ten seconds', () => {
    const { descriptors, clock, logged, region } = watch();
    const open = region.workerWord(0) + WORKER.openConnections.index;
    descriptors.start();
    region.words[open] = 19;
    clock.advance(3000);
    assert.deepEqual(logged, []);
    region.words[open] = 20;
    clock.advance(11_000);
    const line = { connections: 20, openFiles: OPEN_FILES };
    assert.deepEqual(logged, [line, line]);
  });

  test('logs again when a shortage recurs', () => {
    const { descriptors, clock, logged, state } = watch();
    descriptors.start();
    for (const code of ['EMFILE', '', 'ENFILE', '']) {
      state.code = code;
      clock.advance(1000);
    }
    assert.deepEqual(logged, [{ error: 'EMFILE' }, { error: 'ENFILE' }]);
  });

  test('ignores other errors, and stops its timer', () => {
    const { descriptors, clock, logged, state, shortages } = watch();
    state.code = 'EACCES';
    descriptors.start();
    clock.advance(5000);
    descriptors.stop();
    assert.deepEqual([logged.length, shortages(), clock.pendingCount], [0, 0, 0]);
  });

  test('probes with a real open()', () => {
    const region = Region.allocate({ endpoints: 1, upstreams: 1, workers: 1, listeners: 1 }, 0);
    const clock = new FakeClock();
    const descriptors = new DescriptorWatch(region, clock, { warn: () => assert.fail('there are descriptors') });
    descriptors.start();
    clock.advance(1000);
    assert.equal(region.words[HEADER.descriptorShortages.index], 0);
  });
});
