// Endpoint state over a restart: its contents, its age, and broken files. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { EndpointView } from '../../../health/record/endpoint-view.ts';
import { type AppServer, startApps } from '../../support/app-server.ts';
import { eventually, type RunningFairlead, startFairlead } from '../../support/fairlead.ts';

function stateFile(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-state-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return path.join(folder, 'state.json');
}

/** Heartbeats so seldom that what is known at the start comes from the file alone, unless `interval` says otherwise. */
function config(apps: readonly AppServer[], file: string, interval = '1h'): string {
  const heartbeat = `{ path: /healthz, interval: ${interval}, fastInterval: ${interval}, fall: 1 }`;
  return `workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams:
  app:
    endpoints: [${apps.map(({ address }) => `"http://${address}"`).join(', ')}]
    health: { heartbeat: ${heartbeat} }
health: { stateFile: ${file} }
`;
}

function viewOf({ plane }: RunningFairlead, app: AppServer): EndpointView {
  return plane.health.endpoints().find(({ name }) => name.includes(app.address))!;
}

/** Runs a Fairlead in which the third endpoint is down, the first is drained and the second has another weight. */
async function leaveState(t: TestContext, apps: readonly AppServer[], file: string): Promise<void> {
  const before = await startFairlead(t, config(apps, file, '100ms'));
  await apps[2]!.kill();
  await eventually(() => viewOf(before, apps[2]!).axes.check === 'down', 'the third is down');
  before.plane.health.setAdmin('app', viewOf(before, apps[0]!).name, 'drain', 'a test');
  before.plane.health.setWeight('app', viewOf(before, apps[1]!).name, 7, 'a test');
  await before.plane.close();
}

function age(file: string, ms: number): void {
  const saved = JSON.parse(readFileSync(file, 'utf8')) as { savedAt: number };
  writeFileSync(file, JSON.stringify({ ...saved, savedAt: saved.savedAt - ms }));
}

const warnings = ({ log }: RunningFairlead): string[] =>
  log.filter(({ level, text }) => level === 'warn' && text.startsWith('endpoint state in')).map(({ text }) => text);

describe('saved endpoint state', () => {
  test('is restored after a restart', async (t) => {
    const apps = await startApps(t, 3);
    const file = stateFile(t);
    await leaveState(t, apps, file);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const after = await startFairlead(t, config(apps, file));
    assert.equal(viewOf(after, apps[0]!).axes.admin, 'drain');
    assert.equal(viewOf(after, apps[1]!).weight, 7);
    assert.equal(viewOf(after, apps[2]!).availability, 'down');
    assert.match(viewOf(after, apps[2]!).cause, /kept over a restart/);
    for (let count = 0; count < 5; count++) {
      assert.equal(await (await fetch(after.url)).text(), 'b', 'the first request goes where the last one did');
    }
  });

  test('older than maxAge restores only the settings of operators', async (t) => {
    const apps = await startApps(t, 3);
    const file = stateFile(t);
    await leaveState(t, apps, file);
    age(file, 61_000);
    const after = await startFairlead(t, config(apps, file));
    assert.equal(viewOf(after, apps[0]!).axes.admin, 'drain');
    assert.equal(viewOf(after, apps[1]!).weight, 7);
    assert.equal(
      after.log.some(({ fields }) => fields['cause'] === 'kept over a restart' && fields['to'] === 'down'),
      false,
    );
  });

  test('is written within seconds of a change, for the next process', async (t) => {
    const apps = await startApps(t, 1);
    const file = stateFile(t);
    const running = await startFairlead(t, config(apps, file));
    running.plane.health.setAdmin('app', viewOf(running, apps[0]!).name, 'maintenance', 'a test');
    await eventually(() => readFileSync(file, 'utf8').includes('"maintenance"'), 'it is in the file');
    const next = await startFairlead(t, config(apps, file));
    assert.equal(viewOf(next, apps[0]!).availability, 'maintenance');
  });

  for (const garbage of ['', '{"version":1', '[]', '{"version":9,"savedAt":0,"endpoints":[]}', '\u0000\u0001']) {
    test(`is ignored with a warning where the file contains ${JSON.stringify(garbage)}`, async (t) => {
      const apps = await startApps(t, 1);
      const file = stateFile(t);
      writeFileSync(file, garbage);
      const running = await startFairlead(t, config(apps, file));
      assert.equal(warnings(running).length, 1);
      assert.equal((await fetch(running.url)).status, 200);
      assert.match(readFileSync(file, 'utf8'), /"version":1/, 'and the file is made good');
    });
  }

  test('that cannot be written is one warning', async (t) => {
    const apps = await startApps(t, 1);
    const file = path.join(path.dirname(stateFile(t)), 'no-such-folder', 'state.json');
    const running = await startFairlead(t, config(apps, file));
    const { name: endpoint } = viewOf(running, apps[0]!);
    for (const wish of ['drain', 'ready', 'drain', 'ready'] as const) {
      running.plane.health.setAdmin('app', endpoint, wish, 'a test');
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    assert.equal((await fetch(running.url)).status, 200);
    await running.plane.close();
    assert.equal(warnings(running).length, 1);
    assert.match(warnings(running)[0]!, /cannot be written.*ENOENT/);
  });
});
