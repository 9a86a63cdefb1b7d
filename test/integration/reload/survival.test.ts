// State that survives a reload (counters, sticky sessions, slow start), and settings that it applies (certificates,
// addresses of listeners, number of workers). Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { connect } from 'node:net';
import path from 'node:path';
import { describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { type AppServer, startApps } from '../../support/app-server.ts';
import { testCertificate } from '../../support/certificates.ts';
import { sendMany } from '../../support/client.ts';
import { eventually, type RunningFairlead, startFairlead } from '../../support/fairlead.ts';

interface Parts {
  readonly workers?: number;
  readonly bind?: string;
  readonly more?: string;
  readonly upstream?: string;
  readonly route?: string;
}

function config(apps: readonly AppServer[], parts: Parts = {}): string {
  const { workers = 2, bind = '127.0.0.1:0', more = '', upstream = '', route = '/x' } = parts;
  const endpoints = apps.map(({ address }) => `"http://${address}"`).join(', ');
  return `workers: ${workers}
listeners: [{ name: web, bind: "${bind}" }${more}]
routes:
  - { match: { path: ${route} }, upstream: app }
  - { upstream: app }
upstreams: { app: { endpoints: [${endpoints}], health: { heartbeat: { path: /healthz, interval: 100ms, rise: 1, fall: 1 } }${upstream} } }
`;
}

async function reload(fairlead: RunningFairlead, yaml: string): Promise<void> {
  fairlead.rewrite(yaml);
  const result = await fairlead.plane.reload();
  assert.ok(result.ok && result.changes.length > 0, JSON.stringify(result));
}

function isRefused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      resolve(false);
      socket.destroy();
    });
    socket.on('error', () => resolve(true));
  });
}

/** The subject of the certificate that a port presents. */
function nameAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('a reload keeps', () => {
  test('sticky sessions', async (t) => {
    const apps = await startApps(t, 3);
    const sticky = { upstream: ', sticky: { cookie: lb }' };
    const fairlead = await startFairlead(t, config(apps, sticky));
    const first = await fetch(fairlead.url);
    const app = await first.text();
    const cookie = first.headers.get('set-cookie')!.split(';')[0]!;
    await reload(fairlead, config(apps.toReversed(), { ...sticky, route: '/y' }));
    for (let count = 0; count < 12; count++) {
      assert.equal(await (await fetch(fairlead.url, { headers: { cookie } })).text(), app);
    }
  });

  test('counters, endpoint state and a running slow start', async (t) => {
    const apps = await startApps(t, 2);
    const slow = { upstream: ', slowStart: 60s' };
    const fairlead = await startFairlead(t, config(apps, slow));
    await fetch(fairlead.url);
    const views = () => fairlead.plane.health.endpoints();
    await apps[1]!.kill();
    await eventually(() => views()[1]!.axes.check === 'down', 'the second is down');
    await apps[1]!.start();
    await eventually(() => views()[1]!.warming !== null, 'it is back and warms up');
    const before = views()[1]!;
    await reload(fairlead, config(apps, { ...slow, route: '/y' }));
    const after = views()[1]!;
    // Two clocks, read one after the other.
    assert.ok(Math.abs(after.warming!.until - before.warming!.until) < 50);
    assert.equal(after.since, before.since);
    assert.equal(after.counters.transitions, before.counters.transitions);
    assert.ok(after.counters.checks >= before.counters.checks);
    assert.ok(after.share < 1);
  });
});

describe('a reload applies', () => {
  test('added listeners and changed addresses, without a failed request on other listeners', async (t) => {
    const apps = await startApps(t, 1);
    const fairlead = await startFairlead(t, config(apps));
    const stop = new AbortController();
    const load = sendMany(fairlead.port, { connections: 8, signal: stop.signal });
    t.after(() => stop.abort());
    const spare = await startApps(t, 2);
    const ports = spare.map(({ port }) => port);
    for (const app of spare) await app.kill();
    const at = (port: number): string => `, { name: two, bind: "127.0.0.1:${port}" }`;
    await reload(fairlead, config(apps, { more: at(ports[0]!) }));
    assert.equal((await fetch(`http://127.0.0.1:${ports[0]}`)).status, 200);
    await reload(fairlead, config(apps, { more: at(ports[1]!) }));
    assert.equal((await fetch(`http://127.0.0.1:${ports[1]}`)).status, 200);
    await eventually(() => isRefused(ports[0]!), 'the old address refuses');
    await reload(fairlead, config(apps));
    stop.abort();
    const outcome = await load;
    assert.deepEqual([...outcome.errors], []);
    assert.deepEqual([...outcome.statuses.keys()], [200]);
  });

  test('a certificate file with new content', async (t) => {
    const apps = await startApps(t, 1);
    const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-certificate-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const write = (name: string): void => {
      const { cert, key } = testCertificate([name]);
      writeFileSync(path.join(folder, 'cert.pem'), cert);
      writeFileSync(path.join(folder, 'key.pem'), key, { mode: 0o600 });
    };
    write('one.test');
    const tls = `, tls: { certificates: [{ cert: ${folder}/cert.pem, key: ${folder}/key.pem }] }`;
    const yaml = config(apps).replace('bind: "127.0.0.1:0"', `bind: "127.0.0.1:0"${tls}`);
    const fairlead = await startFairlead(t, yaml);
    assert.equal(await nameAt(fairlead.port), 'one.test');
    write('two.test');
    await reload(fairlead, yaml);
    assert.equal(await nameAt(fairlead.port), 'two.test');
  });

  test('more workers right after fewer: draining workers come back', async (t) => {
    const apps = await startApps(t, 1);
    const fairlead = await startFairlead(t, config(apps, { workers: 3 }));
    await reload(fairlead, config(apps, { workers: 1 }));
    await reload(fairlead, config(apps, { workers: 3 }));
    const listening = (): number =>
      fairlead.plane.supervisor.status().filter(({ state }) => state === 'listening').length;
    await eventually(() => listening() === 3, 'three listen again');
    assert.equal((await fetch(fairlead.url)).status, 200);
  });
});
