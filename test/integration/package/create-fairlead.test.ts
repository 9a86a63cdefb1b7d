// createFairlead: a balancer inside another program, from end to end. Thread: main.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { type ConfigInput, ConfigError, createFairlead, type FairleadLogLine } from '../../../index.ts';
import { eventually } from '../../support/fairlead.ts';

const ENTRY = path.join(import.meta.dirname, '../../../index.ts');

/** An app server that answers with `text`; its `host:port`. */
async function app(t: TestContext, text: string): Promise<string> {
  const server = createServer((_request, response) => response.end(text));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function configOf(...endpoints: string[]): ConfigInput {
  return {
    workers: 1,
    listeners: [{ name: 'web', bind: '127.0.0.1:0' }],
    routes: [{ upstream: 'api' }],
    upstreams: { api: { balance: 'round-robin', endpoints: endpoints.map((name) => `http://${name}`) } },
  };
}

async function textFrom(port: number): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}/`)).text();
}

describe('createFairlead', () => {
  test('serves a configuration that is an object, and tells where', async (t) => {
    const one = await app(t, 'one');
    await using balancer = await createFairlead({ config: configOf(one), log: 'none' });
    const [web] = balancer.listeners;
    assert.equal(web!.name, 'web');
    assert.equal(web!.address, `127.0.0.1:${web!.port}`);
    assert.equal(balancer.admin, null);
    assert.equal(await textFrom(web!.port), 'one');
  });

  test('drains an endpoint, returns it to service, and emits an event for each', async (t) => {
    const [one, two] = [await app(t, 'one'), await app(t, 'two')];
    await using balancer = await createFairlead({ config: configOf(one, two), log: 'none' });
    const events: string[] = [];
    const endEvents = balancer.onEvent(({ axis, from, to }) => events.push(`${axis} ${from} ${to}`));
    const name = `api/${one}`;
    balancer.setState(name, 'drain');
    assert.equal(balancer.endpoints().find((endpoint) => endpoint.name === name)!.availability, 'drain');
    const { port } = balancer.listeners[0]!;
    for (let i = 0; i < 10; i++) assert.equal(await textFrom(port), 'two');
    balancer.setState(name, 'ready');
    assert.deepEqual(
      events.filter((event) => event.startsWith('admin')),
      ['admin ready drain', 'admin drain ready'],
    );
    endEvents();
    assert.throws(() => balancer.setState('api/nobody:1', 'drain'), RangeError);
    assert.throws(() => balancer.setWeight('nobody', 2), RangeError);
  });

  test('takes another configuration over; one that is wrong changes nothing and says what is wrong where', async (t) => {
    const [one, two] = [await app(t, 'one'), await app(t, 'two')];
    await using balancer = await createFairlead({ config: configOf(one), log: 'none' });
    const { port } = balancer.listeners[0]!;
    const next = configOf(two);
    // The listener keeps its address by its name: port 0 would ask for another one only where the name is new.
    const taken = await balancer.reload({ config: next });
    assert.ok(taken.ok);
    assert.equal(taken.revision, 2);
    await eventually(async () => (await textFrom(port)) === 'two', 'the new endpoint answers');
    const refused = await balancer.reload({ yaml: 'listeners: []\nroute: []\n' });
    assert.ok(!refused.ok);
    assert.match(refused.problems.map(({ message }) => message).join('\n'), /route/);
    assert.equal(await textFrom(port), 'two');
  });

  test('rejects with every problem and its place, and leaves nothing behind', async () => {
    const config = { ...configOf('127.0.0.1:1'), listenerz: [] } as unknown as ConfigInput;
    await assert.rejects(createFairlead({ config, log: 'none' }), (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      const problem = error.problems.find(({ path }) => path.includes('listenerz'));
      assert.ok(problem !== undefined && problem.span.line > 1, error.message);

      assert.match(error.message, /listenerz/);
      return true;
    });
  });

  test('reads a file, and gives its log to a function', async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-library-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'f.json');
    writeFileSync(file, JSON.stringify(configOf(await app(t, 'file'))));
    const lines: FairleadLogLine[] = [];
    await using balancer = await createFairlead({ file, log: (line) => lines.push(line) });
    assert.equal(await textFrom(balancer.listeners[0]!.port), 'file');
    assert.ok(lines.some(({ level, text }) => level === 'info' && text.startsWith('ready: web on ')));
  });

  test('leaves no handle after close: the program around it ends by itself', async (t) => {
    const one = await app(t, 'one');
    const program = `
      import { createFairlead } from ${JSON.stringify(ENTRY)};
      const config = ${JSON.stringify({ ...configOf(one), admin: { bind: '127.0.0.1:0' } })};
      for (let round = 0; round < 3; round++) {
        const balancer = await createFairlead({ config, log: 'none' });
        const answer = await fetch('http://127.0.0.1:' + balancer.listeners[0].port, { headers: { connection: 'close' } });
        console.log(await answer.text());
        await balancer.close({ graceMs: round * 500 });
      }
      console.log(process.getActiveResourcesInfo().filter((kind) => !/^(Pipe|TTY)/.test(kind)).join());`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.after(() => child.kill('SIGKILL'));
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.deepEqual([code, output.trim().split('\n').slice(0, 3)], [0, ['one', 'one', 'one']], output);
  });
});
