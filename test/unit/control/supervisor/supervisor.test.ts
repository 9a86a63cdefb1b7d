// Workers that fail to start. Real threads, whose code is a data URL; a fake clock. Thread: main.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { LISTENER_FIELD } from '../../../../core/memory/lane-fields.ts';
import { ClientMemory } from '../../../../core/memory/client-memory.ts';
import type { Snapshot } from '../../../../core/snapshot/snapshot.ts';
import { Supervisor } from '../../../../control/supervisor/supervisor.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { regionFor, snapshot } from '../../../support/snapshots.ts';
import { type LogLine, recordingLog } from '../../../support/loggers.ts';

const SNAPSHOT: Snapshot = { ...snapshot(), listeners: [], workers: 1 };

/** Code of a worker that installs each Snapshot. */
const INSTALLING = `
  import { parentPort } from 'node:worker_threads';
  const install = (revision) => parentPort.postMessage({ kind: 'installed', revision, bound: [], failure: null });
  parentPort.on('message', ({ kind, snapshot }) => kind === 'snapshot' && install(snapshot.revision));
  install(0);`;

async function start(supervisor: Supervisor): Promise<void> {
  await supervisor.apply(await supervisor.prepare(SNAPSHOT));
}

function supervise(t: TestContext, code: string) {
  const clock = new FakeClock();
  const log: LogLine[] = [];
  const [region, clients] = [regionFor(SNAPSHOT), ClientMemory.allocate(1, [1, 2])];
  const supervisor = new Supervisor({
    workerUrl: new URL(`data:text/javascript,${encodeURIComponent(code)}`),
    region,
    clients,
    ticketSecrets: () => ({ current: Buffer.alloc(32), previous: null }),
    clock,
    timers: clock,
    log: recordingLog(log),
    onMessage: () => undefined,
    onWorkerGone: () => undefined,
  });
  t.after(() => supervisor.kill());
  return { clock, supervisor, log, region, clients };
}

test('a worker that does not answer within 75 s fails the start, and is ended', async (t) => {
  const { clock, supervisor } = supervise(t, 'setInterval(() => {}, 1000)');
  const failed = assert.rejects(start(supervisor), /worker 0 did not start within 75 s/);
  while (supervisor.status().length === 0) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(75_000);
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
  const { clock, supervisor } = supervise(t, INSTALLING);
  await start(supervisor);
  clock.advance(60_000);
  assert.equal(supervisor.isListening(), true);
});

test('open requests and connections of a worker that died are no longer counted, even before its successor starts', async (t) => {
  const { supervisor, region, clients } = supervise(t, INSTALLING);
  await start(supervisor);
  const counts = clients.countsOf(0);
  assert.ok(counts.add(5, 6, 1));
  const open = region.listenerLane(0, 0) + LISTENER_FIELD.connectionsOpen;
  region.doubles[open] = 3;
  await supervisor.killWorker(0);
  assert.deepEqual([counts.of(5, 6), region.doubles[open]], [0, 0]);
});
