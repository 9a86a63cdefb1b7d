// A reload to fewer workers logged "worker died" for each that ended, and started it again after a backoff. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, startFairlead } from '../support/fairlead.ts';

const config = (workers: number): string => `
workers: ${workers}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ respond: { status: 204 } }]
upstreams: {}
shutdown: { grace: 2s }
`;

test('workers that a reload has no place for end without an error, and come back when they are wanted again', async (t) => {
  const fairlead = await startFairlead(t, config(3));
  const states = (): string =>
    fairlead.plane.supervisor
      .status()
      .map(({ state }) => state)
      .join(' ');
  fairlead.rewrite(config(1));
  assert.ok((await fairlead.plane.reload()).ok);
  await eventually(() => states() === 'listening exited exited', 'two have ended');
  fairlead.rewrite(config(3));
  assert.ok((await fairlead.plane.reload()).ok);
  assert.equal(states(), 'listening listening listening');
  const problems = fairlead.log.filter(({ level }) => level === 'error' || level === 'warn').map(({ text }) => text);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    fairlead.plane.supervisor.status().map(({ restarts }) => restarts),
    [0, 0, 0],
  );
});
