// `fairlead endpoints`: list, add and remove against a running Fairlead; errors name what exists and what to do.
// Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { buildProgram } from '../../../bin/commands/program.ts';
import { startApps } from '../../support/app-server.ts';
import { eventually, startFairlead } from '../../support/fairlead.ts';

/** Runs a command in this process. */
async function run(t: TestContext, args: readonly string[]) {
  const printed: string[] = [];
  const print = (text: string): void => void printed.push(text);
  const mocks = [t.mock.method(console, 'log', print), t.mock.method(console, 'error', print)];
  process.exitCode = 0;
  await buildProgram('0.0.0').parseAsync(args, { from: 'user' });
  const { exitCode } = process;
  process.exitCode = 0;
  for (const { mock } of mocks) mock.restore();
  return { exitCode, text: printed.join('\n') };
}

/** Exit code, message and arguments of commands that are refused. */
function refusals(configured: string, listed: string): readonly (readonly [number, RegExp, readonly string[]])[] {
  return [
    [2, /there is no upstream ap; did you mean api\?; there are:\n {2}api\n/, ['add', 'ap', 'http://10.0.0.9:3000']],
    [2, /did you mean api\?/, ['list', 'ap']],
    [2, /did you mean http:\/\/10\.0\.0\.9:3000\?/, ['add', 'api', '10.0.0.9:3000']],
    [2, /"heavy" is not a weight from 1 to 256/, ['add', 'api', 'http://10.0.0.9:3000', '--weight', 'heavy']],
    [2, /write name=value, such as version=7/, ['add', 'api', 'http://10.0.0.9:3000', '--label', 'blue']],
    [4, /serves TCP sessions, and upstream api serves HTTP requests/, ['add', 'api', 'tcp://10.0.0.9:5432']],
    [2, /there is no endpoint api\/10\.0\.0\.8:3000; there are:\n {2}api\//, ['remove', 'api/10.0.0.8:3000']],
    [
      4,
      /comes from the configuration: remove it there, or drain it: fairlead drain api\//,
      ['remove', `api/${configured}`],
    ],
    [4, /comes from the source file:.*list\.json: remove it there/, ['remove', `web/${listed}`]],
    [2, /names no endpoint: write upstream\/host:port/, ['remove', 'nonsense']],
  ];
}

test('fairlead endpoints lists, adds and removes, and its errors teach', async (t) => {
  const [a, b] = await startApps(t, 2);
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-endpoints-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const list = path.join(folder, 'list.json');
  writeFileSync(list, JSON.stringify([{ url: `http://${b!.address}`, zone: 'eu-1b', metadata: { version: '7' } }]));
  const running = await startFairlead(
    t,
    `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: api }]
upstreams:
  api: { endpoints: ["http://${a!.address}"], health: { heartbeat: false } }
  web: { discover: { file: { path: ${list} } }, health: { heartbeat: false } }
  none: { discover: { file: { path: ${folder}/missing.json } }, health: { heartbeat: false } }
admin: { bind: "127.0.0.1:0" }
`,
  );
  const admin = ['--admin', running.adminUrl.replace('http://', '')];
  const endpoints = (...args: readonly string[]) => run(t, ['endpoints', ...args, ...admin]);

  const added = await endpoints('add', 'api', 'http://10.0.0.9:3000', '--weight', '3', '--zone', 'z', '--label', 'a=b');
  assert.equal(
    added.text,
    'api/10.0.0.9:3000 added with weight 3 in zone z; it is kept over reloads, but lost at a restart: set health.stateFile to keep it',
  );
  const lines = (await endpoints()).text.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | '));
  assert.deepEqual(lines, [
    'ENDPOINT | ORIGIN | ZONE | WEIGHT | STATE | LABELS',
    `api/${a!.address} | configured | - | 1 | up | -`,
    'api/10.0.0.9:3000 | api | z | 3 | up | a=b',
    `web/${b!.address} | file:${list} | eu-1b | 1 | up | version=7`,
    '',
    `source file ${folder}/missing.json of upstream none is pending: the file ${folder}/missing.json does not exist; no endpoint is known yet`,
  ]);
  assert.ok(!(await endpoints('list', 'web')).text.includes('10.0.0.9'));
  const json = JSON.parse((await endpoints('list', 'api', '--json')).text) as { endpoints: { origin: string }[] };
  assert.deepEqual(
    json.endpoints.map(({ origin }) => origin),
    ['configured', 'api'],
  );
  assert.equal((await endpoints('remove', 'api/10.0.0.9:3000')).exitCode, 0);
  assert.match(
    (await run(t, ['why', 'api/10.0.0.9:3000', ...admin])).text,
    /endpoint api\/10\.0\.0\.9:3000 was removed at \S+ \(api\): by the admin API.*; there /,
  );
  assert.match(
    (await run(t, ['why', `web/${b!.address}`, ...admin])).text,
    /\n {2}origin file:.*, zone eu-1b, version=7\n/,
  );
  const explained = await run(t, ['explain', running.url, ...admin]);
  assert.doesNotMatch(explained.text, /configured/, 'no column of origins where all are configured');

  for (const [code, text, args] of refusals(a!.address, b!.address)) {
    const outcome = await endpoints(...args);
    assert.equal(outcome.exitCode, code, `${args.join(' ')}: ${outcome.text}`);
    assert.match(outcome.text, text);
  }
});

test('changes of a source are events, and tell where an endpoint has gone', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-endpoints-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const list = path.join(folder, 'list.json');
  const write = (text: string): void => {
    writeFileSync(`${list}.new`, text);
    renameSync(`${list}.new`, list);
  };
  write('["http://10.0.0.1:80", { "url": "http://10.0.0.2:80", "zone": "b" }]');
  const running = await startFairlead(
    t,
    `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: web }]
upstreams: { web: { discover: { file: { path: ${list} } }, health: { heartbeat: false } } }
admin: { bind: "127.0.0.1:0" }
`,
  );
  type Event = { kind: string; cause: string; change?: string; removed?: string[] };
  const events = async (): Promise<Event[]> => {
    const response = await fetch(`${running.adminUrl}/api/v1/events?kind=source&kind=membership`);
    return ((await response.json()) as { events: Event[] }).events;
  };
  write('[{ "url": "http://10.0.0.2:80", "zone": "b" }]');
  await eventually(async () => (await events()).length === 1, 'the removal is an event');
  write('["tcp://10.0.0.2:80"]');
  await eventually(async () => (await events()).length === 2, 'the failure is an event');
  write('[{ "url": "http://10.0.0.2:80", "zone": "b" }]');
  await eventually(async () => (await events()).length === 3, 'the recovery is an event');
  const shown = (await events()).map(({ kind, change = '', removed = [] }) => [kind, change, ...removed]);
  assert.deepEqual(shown, [
    ['membership', '', '10.0.0.1:80'],
    ['source', 'failed'],
    ['source', 'recovered'],
  ]);
  const admin = ['--admin', running.adminUrl.replace('http://', '')];
  const why = (await run(t, ['why', 'web/10.0.0.1:80', ...admin])).text;
  assert.match(
    why,
    /web\/10\.0\.0\.1:80 was removed at \S+ \(file:.*list\.json\): no longer in the list; there is:\n {2}web/,
  );
  const explained = await run(t, ['explain', running.url, ...admin]);
  assert.match(explained.text, /load +zone +origin\n.* b +file:/);
  assert.match((await run(t, ['status', ...admin])).text, /ZONE +ORIGIN/);
  const metrics = await (await fetch(`${running.adminUrl}/metrics`)).text();
  assert.match(
    metrics,
    /^fairlead_endpoint_info\{upstream="web",endpoint="10\.0\.0\.2:80",origin="file:.*",zone="b"\} 1$/m,
  );
});
