// Notifications to systemd, as a real Unix datagram socket receives them. Node has no such socket; Python has, where it is
// installed. Thread: main.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { systemTimers } from '../../../core/timers.ts';
import { ServiceManager, watchdogIntervalMs } from '../../../control/service-manager.ts';
import { startApps } from '../../support/app-server.ts';
import { eventually } from '../../support/fairlead.ts';
import { configFile, startCommand } from '../../support/fairlead-process.ts';

const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
while True:
    print(s.recv(4096).decode().replace('\\n', ' | '), flush=True)
`;

const isThere = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const missing = ['python3', 'systemd-notify'].filter((program) => !isThere(program));
const skip = missing.length > 0 && `there is no ${missing.join(' and no ')}`;

/** A socket like that of systemd; `received` grows with each datagram. */
async function receiver(t: TestContext): Promise<{ address: string; received: string[] }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-notify-'));
  const address = path.join(folder, 'notify');
  const child = spawn('python3', ['-c', RECEIVER, address], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  const received: string[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    received.push(...lines);
  });
  await eventually(() => received.length === 1, 'it is bound');
  received.length = 0;
  return { address, received };
}

const config = (app: string): string => `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: ["http://${app}"], health: { heartbeat: false } } }
shutdown: { grace: 2s }
`;

describe('systemd', { skip }, () => {
  test('is notified of the start, the watchdog, a reload and the end', async (t) => {
    const { address, received } = await receiver(t);
    const [app] = await startApps(t, 1);
    const { file } = configFile(t, config(app!.address));
    const env = { ...process.env, NOTIFY_SOCKET: address, WATCHDOG_USEC: '400000' };
    const fairlead = startCommand(t, ['run', '--config', file], { env });
    const one = (text: string): string | undefined => received.find((line) => line.includes(text));
    await eventually(() => one('READY=1') !== undefined, 'ready');
    assert.match(received[0]!, /^READY=1 \| STATUS=revision 1 of the configuration: 1 listener\(s\), 1 worker\(s\)/);
    await eventually(
      () => received.filter((line) => line.includes('WATCHDOG=1')).length >= 2,
      'the watchdog is notified',
    );
    fairlead.child.kill('SIGHUP');
    await eventually(() => one('STATUS=revision 2') !== undefined, 'ready again');
    assert.match(one('RELOADING=1')!, /^RELOADING=1 \| MONOTONIC_USEC=\d{6,} \| STATUS=/);
    fairlead.child.kill('SIGTERM');
    assert.equal(await fairlead.ended, 0);
    await eventually(() => one('STOPPING=1') !== undefined, 'stopping');
  });

  test('is notified by the current generation under a holder, and not by a retiring one', async (t) => {
    const { address, received } = await receiver(t);
    const [app] = await startApps(t, 1);
    const { file } = configFile(t, config(app!.address));
    const env = { ...process.env, NOTIFY_SOCKET: address };
    const holder = startCommand(t, ['run', '--holder', '--config', file], { env });
    await eventually(() => received.length === 1, 'the first is ready');
    holder.child.kill('SIGUSR2');
    await holder.logged('ended');
    await eventually(() => received.length === 2, 'the second is ready');
    assert.ok(
      received.every((line) => line.startsWith('READY=1')),
      received.join('\n'),
    );
    holder.child.kill('SIGTERM');
    assert.equal(await holder.ended, 0);
    await eventually(() => received.some((line) => line.startsWith('STOPPING=1')), 'stopping');
  });

  test('gets no watchdog notification while workers do not answer', async (t) => {
    const { address, received } = await receiver(t);
    let isAnswering = true;
    const environment = { ...process.env, NOTIFY_SOCKET: address, WATCHDOG_USEC: '60000' };
    const log = { warn: () => assert.fail('it can be notified') };
    const service = new ServiceManager({ environment, timers: systemTimers, log, isAnswering: () => isAnswering });
    service.ready('all\nis well');
    await eventually(
      () => received.filter((line) => line.includes('WATCHDOG=1')).length >= 2,
      'the watchdog is notified',
    );
    assert.match(received[0]!, /STATUS=all is well/);
    isAnswering = false;
    await service.delivered();
    service.stopping('bye');
    await eventually(() => received.at(-1)!.includes('STOPPING=1'), 'all notifications have arrived');
    const sent = received.length;
    let looks = 0;
    await eventually(() => ++looks > 20, 'several intervals are over');
    assert.equal(received.length, sent);
    service.mute();
  });
});

describe('where systemd cannot be notified', () => {
  test('a missing program is logged once', async () => {
    const warnings: string[] = [];
    const service = new ServiceManager({
      environment: { NOTIFY_SOCKET: '/nowhere' },
      timers: systemTimers,
      log: { warn: (_fields, text) => warnings.push(text) },
      isAnswering: () => true,
      program: 'no-such-program-as-this',
    });
    service.ready('a');
    service.stopping('b');
    await service.delivered();
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /systemd can't be notified: the program no-such-program-as-this is not installed/);
  });

  test('no program is started without NOTIFY_SOCKET', async () => {
    const log = { warn: (): void => assert.fail('nothing is sent') };
    const parts = { environment: {}, timers: systemTimers, log, isAnswering: () => true, program: 'no-such-program' };
    const service = new ServiceManager(parts);
    service.ready('a');
    await service.delivered();
  });

  test('the watchdog interval is half of WATCHDOG_USEC, where WATCHDOG_PID is this process or its holder', () => {
    assert.equal(watchdogIntervalMs({ WATCHDOG_USEC: '30000000' }, 5, 4), 15_000);
    assert.equal(watchdogIntervalMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '5' }, 5, 4), 15_000);
    assert.equal(watchdogIntervalMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '4' }, 5, 4), 15_000);
    assert.equal(watchdogIntervalMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '3' }, 5, 4), null);
    assert.equal(watchdogIntervalMs({ WATCHDOG_USEC: '0' }), null);
    assert.equal(watchdogIntervalMs({}), null);
  });
});
