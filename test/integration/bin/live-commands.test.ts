// The commands that speak to a Fairlead that runs, as processes: status, top, drain, ready, maintain, weight,
// maintenance. Thread: main.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { eventually } from '../../support/fairlead.ts';
import { type CommandOutcome, ENTRY, runCommand } from '../../support/fairlead-process.ts';
import { refusingPort } from '../../support/heartbeat-target.ts';
import { requirePeer } from '../../support/peers.ts';
import { runInTerminal } from '../../support/terminal.ts';
import { shareFairlead } from '../../support/shared-fairlead.ts';

function fairlead(...args: readonly string[]): Promise<CommandOutcome> {
  return runCommand(args);
}

/** An app server; `hold` delays its responses until they are released. */
async function startApp(t: TestContext, name: string) {
  const held: (() => void)[] = [];
  const server = createServer((request, response) => {
    if (request.url!.startsWith('/hold')) held.push(() => response.end(name));
    else response.end(name);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, held };
}

async function start(t: TestContext) {
  const apps = [await startApp(t, 'one'), await startApp(t, 'two')];
  const running = await shareFairlead(
    'live commands',
    `
workers: 1
listeners: [{ name: web, bind: 127.0.0.1:0 }]
routes: [{ upstream: api }]
upstreams:
  api: { balance: round-robin, endpoints: [${apps.map(({ address }) => `"http://${address}"`).join(', ')}], health: { heartbeat: false } }
admin: { bind: 127.0.0.1:0 }
`,
  );
  const admin = ['--admin', running.adminUrl.replace('http://', '')];
  return { ...running, apps, admin, first: `api/${apps[0]!.address}`, second: `api/${apps[1]!.address}` };
}

async function texts(url: string, count: number): Promise<string[]> {
  const all: string[] = [];
  for (let i = 0; i < count; i++) all.push(await (await fetch(url)).text());
  return all;
}

describe('fairlead drain, ready, maintain', () => {
  test('take an endpoint out and put it back, and say what it is then', async (t) => {
    const { admin, first, url } = await start(t);
    const drained = await fairlead('drain', first, ...admin);
    assert.equal(drained.stderr, '');
    assert.equal(drained.stdout, `${first} gets no new requests, except from sticky clients; 0 in flight\n`);
    assert.deepEqual(new Set(await texts(url, 6)), new Set(['two']));
    assert.match(
      (await fairlead('maintain', first, ...admin)).stdout,
      /gets no requests and no heartbeats; 0 in flight\n$/,
    );
    assert.match((await fairlead('ready', first, ...admin)).stdout, /gets requests again .* 0 in flight, now up\n$/);
    assert.deepEqual(new Set(await texts(url, 6)), new Set(['one', 'two']));
  });

  test('--wait returns when nothing is in flight there', async (t) => {
    const { admin, apps, first, second, url } = await start(t);
    await fairlead('drain', second, ...admin);
    const answer = fetch(`${url}/hold`);
    await eventually(() => apps[0]!.held.length === 1, 'the request is there');
    await fairlead('ready', second, ...admin);
    const child = spawn(process.execPath, [ENTRY, 'drain', first, '--wait', ...admin]);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await eventually(() => output.includes('1 in flight'), 'the command prints that it waits');
    assert.equal(child.exitCode, null);
    for (const letGo of apps[0]!.held) letGo();
    assert.equal(await (await answer).text(), 'one');
    assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 0);
    assert.match(output, /has nothing in flight\n$/);
  });

  test('an endpoint that there is not: 2, and those that there are', async (t) => {
    const { admin, first, second } = await start(t);
    const { code, stderr } = await fairlead('drain', 'api/10.9.9.9:1', ...admin);
    assert.equal(code, 2);
    for (const name of [first, second]) assert.ok(stderr.includes(`\n  ${name}`), stderr);
    assert.equal((await fairlead('drain', 'nonsense', ...admin)).code, 2);
  });

  test('nobody there: 4 and where', async (t) => {
    const admin = `127.0.0.1:${refusingPort(t)}`;
    for (const args of [
      ['drain', 'api/1.2.3.4:5'],
      ['status'],
      ['top', '--frames', '1'],
      ['weight', 'api/1.2.3.4:5', '3'],
    ]) {
      const { code, stderr } = await fairlead(...args, '--admin', admin);
      assert.equal(code, 4, args.join(' '));
      assert.match(stderr, new RegExp(`^fairlead: the admin API at ${admin} can't be reached: connection refused`));
    }
  });
});

describe('fairlead weight', () => {
  test('sets another weight, and takes that back', async (t) => {
    const { admin, first, url } = await start(t);
    const set = await fairlead('weight', first, '3', ...admin);
    assert.equal(set.stdout, `${first} has weight 3 now (configured: 1)\n`);
    const answers = await texts(url, 8);
    assert.equal(answers.filter((text) => text === 'one').length, 6);
    assert.match((await fairlead('weight', first, 'configured', ...admin)).stdout, /has weight 1 now/);
  });

  test('refuses invalid weights', async (t) => {
    const { admin, first } = await start(t);
    const words = await fairlead('weight', first, 'heavy', ...admin);
    assert.equal(words.code, 2);
    assert.match(words.stderr, /"heavy" is not a weight from 1 to 256/);
    assert.equal((await fairlead('weight', first, '9999', ...admin)).code, 2);
  });
});

describe('fairlead maintenance, and fairlead weight for a split', () => {
  test('switch a route off and on, and change its shares', async (t) => {
    const running = await start(t);
    const { apps, plane, url, admin } = running;
    running.rewrite(`
workers: 1
listeners: [{ name: web, bind: 127.0.0.1:0 }]
routes: [{ name: api, split: [{ upstream: api, weight: 3 }, { upstream: next, weight: 1 }] }]
upstreams:
  api: { endpoints: ["http://${apps[0]!.address}"], health: { heartbeat: false } }
  next: { endpoints: ["http://${apps[1]!.address}"], health: { heartbeat: false } }
admin: { bind: 127.0.0.1:0 }
`);
    assert.equal((await plane.reload()).ok, true);
    const both = await fairlead('maintenance', 'on', 'api', ...admin);
    assert.deepEqual([both.code, both.stdout], [2, '']);
    assert.match(both.stderr, /a route and an upstream have this name: write route:NAME or upstream:NAME/);
    const on = await fairlead('maintenance', 'on', 'route:api', '--retry-after', '2m', ...admin);
    assert.equal(on.stdout, 'route api is in maintenance: requests are answered 503 with Retry-After: 120\n');
    assert.equal((await fetch(url)).headers.get('retry-after'), '120');
    assert.match((await fairlead('status', ...admin)).stdout, /^in maintenance: route api$/m);
    const off = await fairlead('maintenance', 'off', 'route:api', ...admin);
    assert.equal(off.stdout, 'route api is not in maintenance\n');
    const unknown = await fairlead('maintenance', 'on', 'nxt', ...admin);
    assert.equal(unknown.code, 2);
    assert.match(
      unknown.stderr,
      /no route or upstream nxt; did you mean next\?; there are:\n {2}api\n {2}api\n {2}next\n$/,
    );
    const shares = await fairlead('weight', 'api', '0', '--route', 'api', ...admin);
    assert.equal(shares.stdout, 'route api splits its requests: api 0 (configured: 3), next 1\n');
    assert.deepEqual(new Set(await texts(url, 4)), new Set(['two']));
    assert.equal((await fairlead('weight', 'api', 'many', '--route', 'api', ...admin)).code, 2);
  });
});

describe('fairlead status', () => {
  test('shows upstreams with their endpoints, and what is wrong with them', async (t) => {
    const { admin, first, second, apps } = await start(t);
    await fairlead('drain', first, ...admin);
    const { code, stdout } = await fairlead('status', ...admin);
    assert.equal(code, 0);
    assert.match(stdout, /^Fairlead: ready\n0 requests in progress, .* revision \d+, 1 of 1 workers, up /);
    assert.match(stdout, /\napi \(round-robin\) +1\/2 up /);
    assert.match(stdout, new RegExp(`\n {2}${apps[0]!.address} +drain .*the admin API`));
    const trouble = await fairlead('status', '--trouble', ...admin);
    assert.ok(trouble.stdout.includes(apps[0]!.address));
    assert.ok(!trouble.stdout.includes(apps[1]!.address));
    await fairlead('ready', first, ...admin);
    assert.match((await fairlead('status', '--trouble', ...admin)).stdout, /\n\neverything is up\n$/);
    const json = JSON.parse((await fairlead('status', '--json', ...admin)).stdout) as { upstreams: { name: string }[] };
    assert.equal(json.upstreams[0]!.name, 'api');
    assert.ok(second.length > 0);
  });
});

describe('fairlead top', () => {
  test('without a terminal: frames one after the other', async (t) => {
    const { admin } = await start(t);
    const { code, stdout } = await fairlead('top', '--frames', '2', ...admin);
    assert.equal(code, 0);
    assert.equal(stdout.match(/^Fairlead: ready$/gm)!.length, 2);
    assert.ok(!stdout.includes('\u001b'), 'no control sequences');
  });

  test('--requests lists the requests in flight of all workers, without their queries', async (t) => {
    const { admin, url, apps } = await start(t);
    const held = [fetch(`${url}/hold?token=secret`), fetch(`${url}/hold`, { headers: { 'x-request-id': 'mine' } })];
    await eventually(() => apps.every((app) => app.held.length === 1), 'both are held');
    const { code, stdout } = await fairlead('top', '--requests', '--frames', '1', ...admin);
    for (const app of apps) app.held[0]!();
    for (const response of held) await (await response).text();
    assert.equal(code, 0);
    assert.match(stdout, /^2 requests in flight\nmost requests: 127\.0\.0\.1 \(2\)\n/);
    for (const { address } of apps) {
      assert.match(stdout, new RegExp(`^GET \\S+/hold +\\S+ m?s +waiting +127\\.0\\.0\\.1 +api/${address} `, 'm'));
    }
    assert.ok(!stdout.includes('secret'));
  });

  test('in a terminal: draws, obeys keys, and leaves the screen as it was', async (t) => {
    const python = requirePeer(t, 'python3');
    if (python === undefined) return;
    const { admin, apps, plane } = await start(t);
    const run = await runInTerminal(python, [process.execPath, ENTRY, 'top', ...admin], {
      steps: [
        { seen: 'q quit', keys: 't' },
        { seen: 'everything is up', keys: 'v' },
        { seen: '0 requests in flight', keys: 'vtjdy' },
        { seen: 'gets no new requests, except from sticky clients; 0 in flight', keys: 'q' },
      ],
    });
    assert.equal(run.code, 0, run.stderr);
    assert.ok(run.stdout.includes(apps[0]!.address));
    const { availability } = plane.health.endpoints().find(({ name }) => name.endsWith(apps[0]!.address))!;
    assert.equal(availability, 'drain');
    assert.ok(run.stdout.startsWith('\u001b[?1049h'));
    assert.ok(run.stdout.endsWith('\u001b[?25h\u001b[?1049l'));
  });
});

test('fairlead version --json', async () => {
  const { stdout } = await fairlead('version', '--json');
  const version = JSON.parse(stdout) as Record<string, string>;
  assert.deepEqual([version['name'], version['node']], ['fairlead', process.versions.node]);
  assert.equal((await fairlead('version')).stdout.trim(), version['version']);
});
