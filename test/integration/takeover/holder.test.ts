// The holder: upgrades, failed upgrades and deaths of processes, under load. Thread: main.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { startMixedLoad } from '../../../scripts/takeover/mixed-load.ts';
import { type AppServer, startApps } from '../../support/app-server.ts';
import { sendMany } from '../../support/client.ts';
import { eventually } from '../../support/fairlead.ts';
import { configFile, runCommand, startCommand, type StartedProcess } from '../../support/fairlead-process.ts';

interface Held {
  readonly holder: StartedProcess;
  readonly port: number;
  readonly admin: string;
  readonly file: string;
  readonly folder: string;
  readonly crash: string;
}

const config = (app: AppServer, listeners = '{ name: web, bind: "127.0.0.1:0" }', workers = 2): string => `
workers: ${workers}
listeners: [${listeners}]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: ["http://${app.address}"], health: { heartbeat: false } } }
admin: { bind: "127.0.0.1:0" }
shutdown: { grace: 6s }
`;

async function startHeld(t: TestContext, yaml: string): Promise<Held> {
  const { file, folder } = configFile(t, yaml);
  const crash = path.join(folder, 'crash-');
  const preload = path.join(import.meta.dirname, '../../support/crash-on-file.mjs');
  const env = { ...process.env, CRASH_FILE: crash, NODE_OPTIONS: `--import=${preload}` };
  const pidFile = path.join(folder, 'pid');
  const holder = startCommand(t, ['run', '--holder', '--config', file, '--pid-file', pidFile], { env });
  const ready = await holder.logged('ready');
  assert.equal(readFileSync(pidFile, 'utf8'), `${holder.child.pid}\n`);
  const port = Number(/:(\d+)$/.exec((ready['listeners'] as string[])[0]!)![1]);
  return { holder, port, admin: ready['admin'] as string, file, folder, crash };
}

async function endWell({ holder }: Held): Promise<void> {
  holder.child.kill('SIGTERM');
  assert.equal(await holder.ended, 0);
}

describe('a holder', () => {
  test('upgrades to the next process under load without a failed request', async (t) => {
    const [app] = await startApps(t, 1);
    const held = await startHeld(t, config(app!));
    // Some connections pause for longer than a drain without a holder would let them be idle.
    const load = startMixedLoad({ port: held.port, busy: 4, pausing: 12, pauseMs: 1500, fresh: 4, gapMs: 25 });
    await eventually(() => load.requests() > 200, 'load runs');
    const first = (await held.holder.logged('ready'))['pid'];
    const upgraded = await runCommand(['upgrade', '--admin', held.admin]);
    assert.equal(upgraded.code, 0, upgraded.stderr);
    const taken = await held.holder.logged('process');
    assert.equal(taken['retired'], first);
    assert.notEqual(taken['pid'], first);
    held.holder.child.kill('SIGUSR2');
    await held.holder.logged('ready', 3);
    await held.holder.logged('ended', 2);
    const soFar = load.requests();
    await eventually(() => load.requests() > soFar + 100, 'load goes on');
    const { failures } = await load.stop();
    assert.deepEqual([...failures], []);
    const status = (await (await fetch(`http://${held.admin}/api/v1/version`)).json()) as { pid: number };
    assert.equal(status.pid, (await held.holder.logged('ready', 3))['pid']);
    await endWell(held);
  });

  test('without one, an upgrade is refused with exit code 4', async (t) => {
    const [app] = await startApps(t, 1);
    const alone = startCommand(t, ['run', '--config', configFile(t, config(app!)).file]);
    const { admin } = await alone.logged('ready');
    const refused = await runCommand(['upgrade', '--admin', admin as string]);
    assert.equal(refused.code, 4);
    assert.match(refused.stderr, /no holder.*--holder/);
    alone.child.kill('SIGUSR2');
    await alone.logged('SIGUSR2 ignored');
    assert.equal(
      (
        await sendMany(Number((await alone.logged('ready'))['listeners']?.toString().split(':')[1]), {
          connections: 1,
          requests: 1,
        })
      ).statuses.get(200),
      1,
    );
  });

  test('loses no connection when a worker dies: its successor serves those that wait in its queue', async (t) => {
    const [app] = await startApps(t, 1);
    const held = await startHeld(t, config(app!));
    const load = startMixedLoad({ port: held.port, busy: 0, pausing: 0, pauseMs: 0, fresh: 8, gapMs: 8 });
    for (const worker of ['0', '1', '0']) {
      const soFar = load.requests();
      await eventually(() => load.requests() > soFar + 100, 'load runs');
      writeFileSync(`${held.crash}${worker}`, '');
      await eventually(() => load.requests() > soFar + 400, 'load goes on');
    }
    await held.holder.logged('worker 0 is back', 2);
    const { failures, requests } = await load.stop();
    // Connections that the worker had accepted die with it: at most one request of each loop, each time.
    const failed = [...failures.values()].reduce((sum, count) => sum + count, 0);
    assert.ok(failed <= 3 * 8 && requests > 1000, JSON.stringify([...failures]));
    assert.deepEqual(
      [...failures.keys()].filter((failure) => failure.includes('ECONNREFUSED')),
      [],
    );
    await endWell(held);
  });

  test('upgrades by itself when workers have died so often that no descriptor is left', async (t) => {
    const [app] = await startApps(t, 1);
    const held = await startHeld(t, config(app!));
    for (let deaths = 1; deaths <= 5; deaths++) {
      writeFileSync(`${held.crash}0`, '');
      await held.holder.logged('worker 0 died', deaths);
      if (deaths < 5) await held.holder.logged('worker 0 is back', deaths);
    }
    await held.holder.logged('an inherited socket has no descriptor left');
    await held.holder.logged('process');
    const outcome = await sendMany(held.port, { connections: 40, requests: 200 });
    assert.deepEqual([...outcome.statuses], [[200, 200]]);
    await endWell(held);
  });

  test('replaces a killed process, and connections wait meanwhile; its own death ends its process', async (t) => {
    const [app] = await startApps(t, 1);
    const held = await startHeld(t, config(app!));
    process.kill((await held.holder.logged('ready'))['pid'] as number, 'SIGKILL');
    const { pid } = await held.holder.logged('process');
    const outcome = await sendMany(held.port, { connections: 10, requests: 40 });
    assert.deepEqual([...outcome.statuses], [[200, 40]]);
    assert.deepEqual([...outcome.errors], []);
    held.holder.child.kill('SIGKILL');
    await eventually(() => {
      try {
        return process.kill(pid as number, 0) && false;
      } catch {
        return true;
      }
    }, 'the process has ended, so that another one can bind the port');
  });

  test('exits with the code of a first start that fails, and refuses a port of another process', async (t) => {
    const [app] = await startApps(t, 1);
    const invalid = startCommand(t, ['run', '--holder', '--config', configFile(t, 'listeners: 1').file]);
    assert.equal(await invalid.ended, 1);
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    t.after(() => taken.close());
    const bind = `127.0.0.1:${(taken.address() as { port: number }).port}`;
    const yaml = config(app!, `{ name: web, bind: "${bind}" }`);
    const second = startCommand(t, ['run', '--holder', '--config', configFile(t, yaml).file]);
    assert.equal(await second.ended, 4);
    assert.match(second.stderr(), /listener web cannot be bound to .*another process has it \(EADDRINUSE\)/);
  });

  // size: the cases share one holder, and each is a subtest
  test('serves through refused upgrades and changes of its listeners and workers', async (t) => {
    const [app] = await startApps(t, 1);
    const held = await startHeld(t, config(app!));
    const { pid } = await held.holder.logged('ready');
    const added = '{ name: web, bind: "127.0.0.1:0" }, { name: other, bind: "127.0.0.1:0" }';
    let otherPort = 0;
    const reload = (yaml: string): void => {
      writeFileSync(held.file, yaml);
      held.holder.child.kill('SIGHUP');
    };

    await t.test('keeps the current process where the next one fails to start, and reports why', async () => {
      writeFileSync(held.file, 'listeners: [');
      const { code, stderr } = await runCommand(['upgrade', '--admin', held.admin]);
      assert.equal(code, 4);
      assert.match(stderr, /failed to start: the configuration is refused: .*; process \d+ keeps serving/);
      const outcome = await sendMany(held.port, { connections: 4, requests: 40 });
      assert.deepEqual([...outcome.statuses], [[200, 40]]);
      process.kill(pid as number, 0);
    });

    await t.test('passes on a port that a reload added', async () => {
      reload(config(app!, added));
      await held.holder.logged('revision 2 runs');
      assert.equal((await runCommand(['upgrade', '--admin', held.admin])).code, 0);
      const listeners = (await held.holder.logged('ready', 2))['listeners'] as string[];
      assert.equal(listeners[0], `web on 127.0.0.1:${held.port}`);
      otherPort = Number(listeners[1]!.split(':')[1]);
      assert.equal((await sendMany(otherPort, { connections: 20, requests: 20 })).statuses.get(200), 20);
    });

    await t.test('refuses to pass on a Unix socket', async () => {
      const socket = `unix:${path.join(held.folder, 'late.sock')}`;
      reload(config(app!, `${added}, { name: late, bind: "${socket}" }`));
      await held.holder.logged('revision 2 runs', 2);
      const { code, stderr } = await runCommand(['upgrade', '--admin', held.admin]);
      assert.equal(code, 4);
      assert.match(stderr, /listener late cannot be bound to unix:.*late.sock: another process has it/);
    });

    await t.test('closes the socket of a listener that a reload removes, so that clients are refused', async () => {
      reload(config(app!));
      await held.holder.logged('revision 3 runs');
      await eventually(async () => {
        const outcome = await sendMany(otherPort, { connections: 1, requests: 1 });
        return outcome.errors.has('ECONNREFUSED');
      }, 'the port refuses');
    });

    await t.test('assigns the sockets of workers that a reload dismisses to those that stay', async () => {
      reload(config(app!, undefined, 1));
      await held.holder.logged('revision 4 runs');
      const outcome = await sendMany(held.port, { connections: 40, requests: 200 });
      assert.deepEqual([...outcome.statuses], [[200, 200]]);
    });

    await endWell(held);
  });
});
