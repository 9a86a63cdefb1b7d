// A reload whose new listener could not be bound was reported as done: its routes ran, the listener was missing, and
// nothing tried again. A reload is applied as a whole or refused as a whole. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { freePort } from '../../scripts/peers/free-port.ts';
import { startFairlead, type RunningFairlead } from '../support/fairlead.ts';
import { runCommand } from '../support/fairlead-process.ts';

const config = (body: string, ...more: readonly string[]): string => `
workers: 2
listeners:
  - { name: web, bind: "127.0.0.1:0" }
${more.map((bind, index) => `  - { name: more${index}, bind: "${bind}" }`).join('\n')}
routes: [{ respond: { status: 200, body: ${body} } }]
upstreams: {}
admin: { bind: "127.0.0.1:0" }
`;

async function takenPort(t: TestContext, reusePort: boolean): Promise<number> {
  const server = createServer().listen({ port: 0, host: '127.0.0.1', reusePort });
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-refused-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Asserts that a reload is refused with a message about `address`, and that the old configuration serves as before. */
async function assertRefused(fairlead: RunningFairlead, yaml: string, message: RegExp): Promise<void> {
  fairlead.rewrite(yaml);
  const result = await fairlead.plane.reload();
  assert.ok(!result.ok, 'the reload is refused');
  assert.match(result.message, message);
  assert.equal(fairlead.plane.snapshot.revision, 1);
  assert.deepEqual(
    fairlead.plane.bound.map(({ name }) => name),
    ['web'],
  );
  for (let count = 0; count < 8; count++) {
    const answer = await fetch(fairlead.url, { headers: { connection: 'close' } });
    assert.equal(await answer.text(), 'old');
  }
}

describe('a reload with a listener that cannot be bound', () => {
  for (const reusePort of [false, true]) {
    const how = reusePort ? 'shared by its owner' : 'exclusive';
    test(`is refused where another process has the port (${how})`, async (t) => {
      const fairlead = await startFairlead(t, config('old'));
      const port = await takenPort(t, reusePort);
      const message = new RegExp(`more0 cannot be bound to 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`);
      await assertRefused(fairlead, config('new', `127.0.0.1:${port}`), message);
    });
  }

  test('is refused for an address of another machine', async (t) => {
    const fairlead = await startFairlead(t, config('old'));
    await assertRefused(fairlead, config('new', '192.0.2.1:8080'), /more0 .*192\.0\.2\.1:8080.*EADDRNOTAVAIL/);
  });

  test('is refused for a Unix path without a folder, and for one where a file is, which stays', async (t) => {
    const folder = folderOf(t);
    const file = path.join(folder, 'data');
    writeFileSync(file, 'precious');
    const fairlead = await startFairlead(t, config('old'));
    await assertRefused(fairlead, config('new', `unix:${folder}/none/x.sock`), /more0 .*none\/x\.sock/);
    await assertRefused(fairlead, config('new', `unix:${file}`), /more0 .*data.*EADDRINUSE/);
    assert.equal(readFileSync(file, 'utf8'), 'precious');
  });

  test('is refused for a descriptor that is none, or no socket', async (t) => {
    const fairlead = await startFairlead(t, config('old'));
    await assertRefused(fairlead, config('new', 'fd:999'), /more0 cannot be bound to fd:999: .*EBADF/);
    await assertRefused(fairlead, config('new', 'fd:web'), /more0 cannot be bound to fd:web: .*restart/);
  });

  test('leaves nothing bound of the listeners beside it, and removes none', async (t) => {
    const fairlead = await startFairlead(t, config('old'));
    const [good, taken] = [await freePort(), await takenPort(t, false)];
    const without = config('new', `127.0.0.1:${good}`, `127.0.0.1:${taken}`).replace(/ {2}- \{ name: web.*\n/, '');
    await assertRefused(fairlead, without, /more1 /);
    await assert.rejects(fetch(`http://127.0.0.1:${good}`), 'nothing listens on the good one');
    fairlead.rewrite(config('new', `127.0.0.1:${good}`));
    assert.ok((await fairlead.plane.reload()).ok);
    assert.equal(await (await fetch(`http://127.0.0.1:${good}`)).text(), 'new');
  });

  test('ends `fairlead reload` with code 4, and names address and cause', async (t) => {
    const fairlead = await startFairlead(t, config('old'));
    const port = await takenPort(t, false);
    fairlead.rewrite(config('new', `127.0.0.1:${port}`));
    const { code, stderr } = await runCommand(['reload', '--admin', fairlead.plane.adminAddress!]);
    assert.equal(code, 4);
    assert.match(stderr, new RegExp(`127\\.0\\.0\\.1:${port}: .*EADDRINUSE`));
    const answer = await fetch(`${fairlead.adminUrl}/api/v1/reload`, {
      method: 'POST',
      body: '{}',
      headers: JSON_BODY,
    });
    assert.ok(answer.status >= 400);
    assert.match(await answer.text(), /more0 cannot be bound/);
  });
});

const JSON_BODY = { 'content-type': 'application/json' };

test('a listener may move to an address that overlaps its own', async (t) => {
  const fairlead = await startFairlead(t, config('old'));
  const moved = config('new').replace('127.0.0.1:0', `0.0.0.0:${fairlead.port}`);
  fairlead.rewrite(moved);
  const result = await fairlead.plane.reload();
  assert.ok(result.ok, JSON.stringify(result));
  assert.equal(await (await fetch(fairlead.url)).text(), 'new');
});

test('a listener that a reload adds with port 0 has one port on every worker', async (t) => {
  const fairlead = await startFairlead(t, config('old'));
  fairlead.rewrite(config('new', '127.0.0.1:0'));
  assert.ok((await fairlead.plane.reload()).ok);
  const [web, more] = fairlead.plane.bound;
  assert.equal(web?.port, fairlead.port);
  const { listeners } = fairlead.plane.snapshot;
  assert.deepEqual(
    listeners.map(({ bind }) => bind.kind === 'tcp' && bind.port),
    [web?.port, more?.port],
  );
  assert.equal(await (await fetch(`http://127.0.0.1:${more!.port}`)).text(), 'new');
});
