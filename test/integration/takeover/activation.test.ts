// Socket activation: descriptors by number and by name, and a restart during which the activator keeps them.
// Thread: main.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import path from 'node:path';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { startMixedLoad } from '../../../scripts/takeover/mixed-load.ts';
import { Activator } from '../../support/activator.ts';
import { startApps } from '../../support/app-server.ts';
import { testCertificate } from '../../support/certificates.ts';
import { eventually } from '../../support/fairlead.ts';
import { configFile, startCommand } from '../../support/fairlead-process.ts';

const config = (listeners: string, app: string): string => `
workers: 2
listeners: [${listeners}]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: ["http://${app}"], health: { heartbeat: false } } }
shutdown: { grace: 5s }
`;

function textOf(start: (take: (text: string) => void, fail: (error: Error) => void) => void): Promise<string> {
  return new Promise(start);
}

const get = (options: object, ask: typeof request = request): Promise<string> =>
  textOf((take, fail) => {
    const sent = ask({ agent: false, path: '/', ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => take(`${response.statusCode} ${text}`));
    });
    sent.on('error', fail).end();
  });

describe('socket activation', () => {
  test('serves TCP, TLS and Unix sockets by name and by number', async (t) => {
    const [app] = await startApps(t, 1);
    const { file, folder } = configFile(t, '');
    const { cert, key } = testCertificate(['a.test']);
    writeFileSync(path.join(folder, 'cert.pem'), cert);
    writeFileSync(path.join(folder, 'key.pem'), key, { mode: 0o600 });
    const activator = new Activator(t);
    const webPort = activator.bindTcp('web');
    activator.bindTcp('web', webPort);
    const tlsPort = activator.bindTcp('secure');
    const socketPath = path.join(folder, 'local.sock');
    activator.bindUnix('local', socketPath);
    const listeners = [
      '{ name: web, bind: "fd:web" }',
      '{ name: secure, bind: "fd:5", tls: { certificates: [{ cert: cert.pem, key: key.pem }] } }',
      '{ name: local, bind: "fd:local" }',
    ];
    writeFileSync(file, config(listeners.join(', '), app!.address));
    const fairlead = activator.start(t, ['run', '--config', file]);
    const ready = await fairlead.logged('ready');
    assert.deepEqual(ready['listeners'], [
      `web on 127.0.0.1:${webPort}`,
      `secure on 127.0.0.1:${tlsPort}`,
      'local on fd:local',
    ]);
    // The kernel spreads connections over both sockets: one that nobody accepts from would leave some without answer.
    const answers = await Promise.all(Array.from({ length: 40 }, () => get({ host: '127.0.0.1', port: webPort })));
    assert.deepEqual(new Set(answers), new Set([`200 ${app!.name}`]));
    const secure = { host: '127.0.0.1', port: tlsPort, servername: 'a.test', ca: cert };
    assert.equal(await get(secure, requestTls as typeof request), `200 ${app!.name}`);
    assert.equal(await get({ socketPath }), `200 ${app!.name}`);
    fairlead.child.kill('SIGTERM');
    assert.equal(await fairlead.ended, 0);
  });

  test('refuses a name that was not passed, and lists those that were', async (t) => {
    const { file } = configFile(t, config('{ name: web, bind: "fd:wbe" }', '127.0.0.1:1'));
    const activator = new Activator(t);
    activator.bindTcp('web');
    const fairlead = activator.start(t, ['run', '--config', file]);
    assert.equal(await fairlead.ended, 4);
    assert.match(fairlead.stderr(), /listener web cannot be bound to fd:wbe: .*there are web \(fd:3\)/);
    const alone = startCommand(t, ['run', '--config', file]);
    assert.equal(await alone.ended, 4);
    assert.match(alone.stderr(), /no socket was passed to this process \(LISTEN_FDS\)/);
  });

  test('a holder passes one socket to all workers, and keeps serving when one of them dies', async (t) => {
    const [app] = await startApps(t, 1);
    const { file, folder } = configFile(t, config('{ name: web, bind: "fd:web" }', app!.address));
    const crash = path.join(folder, 'crash-');
    const activator = new Activator(t);
    const port = activator.bindTcp('web');
    const preload = path.join(import.meta.dirname, '../../support/crash-on-file.mjs');
    const fairlead = activator.start(t, ['run', '--holder', '--config', file], {
      CRASH_FILE: crash,
      NODE_OPTIONS: `--import=${preload}`,
    });
    await fairlead.logged('ready');
    for (const worker of ['0', '1']) {
      writeFileSync(`${crash}${worker}`, '');
      await fairlead.logged(`worker ${worker} is back`);
      assert.equal(await get({ host: '127.0.0.1', port }), `200 ${app!.name}`);
    }
    fairlead.child.kill('SIGTERM');
    assert.equal(await fairlead.ended, 0);
  });

  test('loses no request over a restart, because the activator keeps the sockets', async (t) => {
    const [app] = await startApps(t, 1);
    const { file } = configFile(t, config('{ name: web, bind: "fd:web" }', app!.address));
    const activator = new Activator(t);
    const port = activator.bindTcp('web');
    activator.bindTcp('web', port);
    const before = activator.start(t, ['run', '--config', file]);
    await before.logged('ready');
    // Pauses stay below the half second that a drain lets connections be idle.
    const load = startMixedLoad({ port, busy: 4, pausing: 8, pauseMs: 100, fresh: 4, gapMs: 8 });
    await eventually(() => load.requests() > 200, 'load runs');
    before.child.kill('SIGTERM');
    assert.equal(await before.ended, 0);
    const after = activator.start(t, ['run', '--config', file]);
    await after.logged('ready');
    const soFar = load.requests();
    await eventually(() => load.requests() > soFar + 200, 'load goes on');
    const { failures, requests } = await load.stop();
    assert.deepEqual([...failures], []);
    assert.ok(requests > 400);
  });
});
