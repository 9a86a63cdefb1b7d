// Workers that don't do what they are started for. Real threads, whose code is given as a URL; a fake clock. Thread: main.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Snapshot } from '../../../../core/snapshot/snapshot.ts';
import { Supervisor } from '../../../../control/supervisor/supervisor.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { regionFor, snapshot } from '../../../support/snapshots.ts';
import { type LogLine, recordingLog } from '../../../support/loggers.ts';

const SNAPSHOT: Snapshot = { ...snapshot(), listeners: [], workers: 1 };

function supervise(t: TestContext, code: string): { clock: FakeClock; supervisor: Supervisor; log: LogLine[] } {
  const clock = new FakeClock();
  const log: LogLine[] = [];
  const supervisor = new Supervisor({
    workerUrl: new URL(`data:text/javascript,${encodeURIComponent(code)}`),
    region: regionFor(SNAPSHOT),
    clock,
    timers: clock,
    log: recordingLog(log),
    onMessage: () => undefined,
    onWorkerGone: () => undefined,
  });
  t.after(() => supervisor.kill());
  return { clock, supervisor, log };
}

test('a worker that never listens ends the start after half a minute, and nothing is left running', async (t) => {
  const { clock, supervisor } = supervise(t, 'setInterval(() => {}, 1000)');
  const started = supervisor.start(SNAPSHOT);
  const failed = assert.rejects(started, /worker 0 has not listened within 30 s/);
  while (supervisor.status().length === 0) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(30_000);
  await failed;
  assert.deepEqual(
    supervisor.status().map(({ state }) => state),
    ['exited'],
  );
});

test('a worker that ends before it listens ends the start at once, with its error', async (t) => {
  const { supervisor } = supervise(t, 'throw new Error("no sense in it")');
  await assert.rejects(supervisor.start(SNAPSHOT), /no sense in it/);
});

test('a worker that listens in time may live on', async (t) => {
  const code = `
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', () => {});
    parentPort.postMessage({ kind: 'listening', bound: [] });`;
  const { clock, supervisor } = supervise(t, code);
  await supervisor.start(SNAPSHOT);
  clock.advance(60_000);
  assert.equal(supervisor.isListening(), true);
});
