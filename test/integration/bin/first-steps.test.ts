// quick, init and healthcheck as processes: what a new user types first, and the messages of mistakes. Thread: main.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { configFile, ENTRY, runCommand, startCommand } from '../../support/fairlead-process.ts';
import { startFairlead } from '../../support/fairlead.ts';
import { requirePeer } from '../../support/peers.ts';
import { runInTerminal } from '../../support/terminal.ts';

/** An app server on a free port. */
async function startApp(t: TestContext): Promise<string> {
  const server = createServer((_request, response) => response.end('hello'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('fairlead quick', () => {
  test('balances, answers healthcheck, and names the options for ports in use', async (t) => {
    const app = await startApp(t);
    const first = startCommand(t, ['quick', '--listen', '127.0.0.1:0', '--to', `http://${app}`, '--admin-port', '0']);
    const ready = await first.logged('ready');
    const listen = /web on (\S+)/.exec(ready.text!)![1]!;
    const admin = String(ready['admin']);
    assert.equal(await (await fetch(`http://${listen}/`)).text(), 'hello');
    const [alive, isReady, port, adminPort] = await Promise.all([
      runCommand(['healthcheck', '--admin', admin]),
      runCommand(['healthcheck', '--ready', '--admin', admin]),
      runCommand(['quick', '--listen', listen, '--to', `http://${app}`, '--admin-port', 'none']),
      runCommand(['quick', '--listen', '127.0.0.1:0', '--to', `http://${app}`, '--admin-port', admin.split(':')[1]!]),
    ]);
    assert.deepEqual([alive.code, alive.stdout, isReady.stdout], [0, 'alive\n', 'ready\n']);
    assert.equal(port.code, 4);
    assert.match(port.stderr, /listener web cannot be bound to \S+: another.*; choose another port with --listen/);
    assert.equal(adminPort.code, 4);
    assert.match(
      adminPort.stderr,
      /the admin API can't be bound to \S+: another process has it \(EADDRINUSE\); choose another port with --admin-port/,
    );
    first.child.kill('SIGTERM');
    assert.equal(await first.ended, 0);
    const gone = await runCommand(['healthcheck', '--admin', admin]);
    assert.equal(gone.code, 1);
    assert.match(gone.stderr, /can't be reached: connection refused/);
  });
});

describe('fairlead init', () => {
  test('writes a file that check accepts, and never overwrites one', async (t) => {
    const { folder, file } = configFile(t, 'mine');
    const args = ['--upstream', 'http://127.0.0.1:3000', '--domain', 'shop.example.com', '--health', '/healthz'];
    const refused = await runCommand(['init', ...args], { cwd: folder });
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /fairlead\.yaml exists and is not overwritten/);
    assert.equal(readFileSync(file, 'utf8'), 'mine');
    const written = await runCommand(['init', 'site.yaml', ...args], { cwd: folder });
    assert.deepEqual([written.code, written.stderr], [0, '']);
    const checked = await runCommand(['check', '--strict', 'site.yaml'], { cwd: folder });
    assert.deepEqual([checked.code, checked.stderr], [0, '']);
  });

  test('writes nothing for invalid answers, and needs endpoints without a terminal', async (t) => {
    const { folder } = configFile(t, '');
    const invalid = await runCommand(['init', 'a.yaml', '--upstream', 'nonsense'], { cwd: folder });
    assert.equal(invalid.code, 2);
    assert.match(invalid.stderr, /"nonsense" is not an endpoint URL/);
    const missing = await runCommand(['init', 'a.yaml'], { cwd: folder });
    assert.match(missing.stderr, /without a terminal, init needs --upstream/);
    const half = await runCommand(['init', 'a.yaml', '--upstream', 'http://a:1', '--cert', 'x'], { cwd: folder });
    assert.match(half.stderr, /--cert and --key belong together/);
    assert.equal(existsSync(path.join(folder, 'a.yaml')), false);
  });
});

describe('at a terminal', () => {
  test('init asks again for wrong answers, and writes the file', async (t) => {
    const python = requirePeer(t, 'python3');
    if (python === undefined) return;
    const { folder } = configFile(t, '');
    const command = [process.execPath, ENTRY, 'init', 'site.yaml'];
    const { code, stdout } = await runInTerminal(python, command, {
      cwd: folder,
      columns: 80,
      steps: [
        { seen: 'app servers', keys: '\r' },
        { seen: 'at least one URL is needed', keys: 'localhost:3000\r' },
        { seen: 'did you mean http://localhost:3000?', keys: 'http://localhost:3000\r' },
        { seen: 'Domains', keys: '\r' },
        { seen: 'health check', keys: 'healthz\r' },
        { seen: '"healthz" is not a path', keys: '/healthz\r' },
        { seen: 'Certificate file', keys: '\r' },
      ],
    });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /site\.yaml written\. Next: fairlead check site\.yaml, then fairlead run site\.yaml/);
    const text = readFileSync(path.join(folder, 'site.yaml'), 'utf8');
    assert.match(text, /"http:\/\/localhost:3000"/);
  });

  for (const [name, keys] of [
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ] as const) {
    test(`${name} ends init, and nothing is written`, async (t) => {
      const python = requirePeer(t, 'python3');
      if (python === undefined) return;
      const { folder } = configFile(t, '');
      const command = [process.execPath, ENTRY, 'init', 'site.yaml'];
      const run = await runInTerminal(python, command, { cwd: folder, steps: [{ seen: 'app servers', keys }] });
      assert.equal(run.code, 4);
      assert.match(run.stdout, /\nfairlead: nothing was written: the input ended/);
      assert.equal(existsSync(path.join(folder, 'site.yaml')), false);
    });
  }

  test('keys of the demo act one after the other, on a process that runs', async (t) => {
    const python = requirePeer(t, 'python3');
    if (python === undefined) return;
    const command = [process.execPath, ENTRY, 'demo', '--port', '0', '--admin-port', '0'];
    const { code, stdout } = await runInTerminal(python, command, {
      columns: 80,
      steps: [
        { seen: 'ready: web', keys: '2kk' },
        { seen: 'does not run: b brings it back', keys: 'b' },
        { seen: 'is back', keys: 'dr' },
        { seen: 'in service again', keys: 'ccc' },
        { seen: 'the canary gets 0 %', keys: 'q' },
      ],
    });
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^ >2 app\/127\.0\.0\.1:\d+ {3}k kill/m);
    assert.match(stdout, /canary gets 10 %[^]*canary gets 50 %[^]*canary gets 0 %/);
  });
});

test('demo names the option of a port that is none', async () => {
  const { code, stderr } = await runCommand(['demo', '--admin-port', 'x']);
  assert.deepEqual([code, stderr], [2, 'fairlead: --admin-port takes a port from 0 to 65535, not "x"\n']);
});

test('a wrong command line names --help', async () => {
  const { code, stderr } = await runCommand(['why']);
  assert.equal(code, 2);
  assert.equal(stderr, "error: missing required argument 'endpoint'\n(--help lists the arguments and options)\n");
});

test('run names the key of an address that another process has', async (t) => {
  const app = await startApp(t);
  const taken = await startFairlead(
    t,
    `workers: 1
listeners: [{ name: web, bind: 127.0.0.1:0 }]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: ["http://${app}"] } }
`,
  );
  const { file } = configFile(t, '');
  writeFileSync(
    file,
    `listeners: [{ name: web, bind: 127.0.0.1:${taken.port} }]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: ["http://${app}"], health: { heartbeat: false } } }
`,
  );
  const { code, stderr } = await runCommand(['run', file]);
  assert.equal(code, 4);
  assert.match(stderr, /cannot be bound to .*; stop that process, or change listeners\[\]\.bind/);
});
