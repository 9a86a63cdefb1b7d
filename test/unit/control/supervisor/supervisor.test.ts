// Workers that fail to start. Real threads, whose code is a data URL; a fake clock. Thread: main.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { ClientMemory } from '../../../../core/memory/client-memory.ts';
import type { Snapshot } from '../../../../core/snapshot/snapshot.ts';
import { Supervisor } from '../../../../control/supervisor/supervisor.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { regionFor, snapshot } from '../../../support/snapshots.ts';
import { type LogLine, recordingLog } from '../../../support/loggers.ts';

const SNAPSHOT: Snapshot = { ...snapshot(), listeners: [], workers: 1 };

async function start(supervisor: Supervisor): Promise<void> {
  await supervisor.apply(await supervisor.prepare(SNAPSHOT));
}

function supervise(t: TestContext, code: string): { clock: FakeClock; supervisor: Supervisor; log: LogLine[] } {
  const clock = new FakeClock();
  const log: LogLine[] = [];
  const supervisor = new Supervisor({
    workerUrl: new URL(`data:text/javascript,${encodeURIComponent(code)}`),
    region: regionFor(SNAPSHOT),
    clients: ClientMemory.allocate(1, [1, 2]),
    clock,
    timers: clock,
    log: recordingLog(log),
    onMessage: () => undefined,
    onWorkerGone: () => undefined,
  });
  t.after(() => supervisor.kill());
  return { clock, supervisor, log };
}

test('a worker that does not answer within 30 s fails the start, and is ended', async (t) => {
  const { clock, supervisor } = supervise(t, 'setInterval(() => {}, 1000)');
  const failed = assert.rejects(start(supervisor), /worker 0 did not start within 30 s/);
  while (supervisor.status().length === 0) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(30_000);
  await failed;
  assert.deepEqual(
    supervisor.status().map(({ state }) => state),
    ['exited'],
  );
});

test('a worker that throws while it starts fails the start at once with its error', async (t) => {
  const { supervisor } = supervise(t, 'throw new Error("no sense in it")');
  await assert.rejects(start(supervisor), /no sense in it/);
});

test('a worker that starts in time is not ended later', async (t) => {
  const code = `
    import { parentPort } from 'node:worker_threads';
    const install = (revision) => parentPort.postMessage({ kind: 'installed', revision, bound: [], failure: null });
    parentPort.on('message', ({ kind, snapshot }) => kind === 'snapshot' && install(snapshot.revision));
    install(0);`;
  const { clock, supervisor } = supervise(t, code);
  await start(supervisor);
  clock.advance(60_000);
  assert.equal(supervisor.isListening(), true);
});
