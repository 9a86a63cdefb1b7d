// docs/extending.md as a stranger follows it: an empty project, the packed tarball, and every file and command of the
// page. Needs npm, and its cache or the registry. Thread: main.
// Own process: a failed preparation must not fail the tests of other files.

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { installPackage, plainEnvironment } from '../../support/packed-tarball.ts';
import { eventually } from '../../support/fairlead.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const run = promisify(execFile);
const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-walk-'));
const page = readFileSync(path.join(ROOT, 'docs/extending.md'), 'utf8');

/** Files of the page: blocks whose language is followed by a file's name. */
const FILES = new Map(
  [...page.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms)].map(([, name, text]) => [name!, text!] as const),
);

before(async () => {
  await installPackage(folder);
  for (const [name, text] of FILES) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
});
after(() => rmSync(folder, { recursive: true, force: true }));

describe('docs/extending.md in an empty project', () => {
  test('has a policy with its test, a balancer, a log format, a checker and a configuration', () => {
    assert.deepEqual([...FILES.keys()].toSorted(), [
      'fairlead.yaml',
      'plugins/by-port.js',
      'plugins/file-check.js',
      'plugins/short-log.js',
      'plugins/tenants.ts',
      'tenants.test.ts',
    ]);
  });

  test('its types fit: the policy and its test compile', async () => {
    const options = ['--noEmit', '--strict', '--target', 'es2024', '--module', 'nodenext', '--skipLibCheck'];
    const types = [
      '--allowImportingTsExtensions',
      '--typeRoots',
      path.join(ROOT, 'node_modules/@types'),
      '--types',
      'node',
    ];
    const tsc = path.join(ROOT, 'node_modules/.bin/tsc');
    await run(tsc, [...options, ...types, 'tenants.test.ts'], { cwd: folder }).catch((error: { stdout: string }) =>
      assert.fail(error.stdout),
    );
  });

  test('its test of the policy passes', async () => {
    const { stdout } = await run(process.execPath, ['--test', 'tenants.test.ts'], {
      cwd: folder,
      env: plainEnvironment(),
    });
    assert.match(stdout, /pass 1\b/);
  });

  test('its configuration passes check, and a misspelt option is refused with its place', async () => {
    await run(process.execPath, [command(), 'check', 'fairlead.yaml'], { cwd: folder });
    writeFileSync(path.join(folder, 'wrong.yaml'), FILES.get('fairlead.yaml')!.replace('{ most: 2 }', '{ mots: 2 }'));
    await assert.rejects(run(process.execPath, [command(), 'check', 'wrong.yaml'], { cwd: folder }), (error) => {
      const { code, stderr } = error as { code: number; stderr: string };
      assert.equal(code, 1);
      assert.match(stderr, /wrong\.yaml:9:\d+: .*"mots".*did you mean "most"/);
      return true;
    });
  });

  test('what it serves is what the page says', async (t) => {
    const apps = [await startApp(t), await startApp(t)].toSorted((a, b) => a - b);
    const yaml = FILES.get('fairlead.yaml')!.replace('127.0.0.1:8080', '127.0.0.1:0');
    writeFileSync(
      path.join(folder, 'run.yaml'),
      yaml.replace('3001', String(apps[0])).replace('3002', String(apps[1])),
    );
    const child = spawn(process.execPath, [command(), 'run', '--config', 'run.yaml'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.after(() => child.kill('SIGKILL'));
    const address = await readyAddress(child);
    const get = (tenant: string) => fetch(`http://${address}/hello`, { headers: { 'x-tenant': tenant } });
    const first = await get('a');
    assert.equal(await first.text(), `app ${apps[1]}, left 1`);
    await (await get('a')).text();
    const refused = await get('a');
    assert.deepEqual([refused.status, await refused.text()], [429, 'quota used up\n']);
    assert.equal((await get('b')).status, 200);
    const log = path.join(folder, 'access.log');
    const lines = () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []);
    await eventually(() => lines().length >= 4, 'the access log has four lines');
    assert.match(lines()[0]!, new RegExp(`^fairlead /hello 200 127\\.0\\.0\\.1:${apps[1]} \\d+ms$`));
    child.kill('SIGTERM');
    assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 0);
  });
});

function command(): string {
  return path.join(folder, 'node_modules/.bin/fairlead');
}

/** Answers with its port and the quota that is left. */
async function startApp(t: TestContext): Promise<number> {
  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo;
    response.end(`app ${port}, left ${String(request.headers['x-quota-left'])}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** `host:port` of the listener, out of the log line that says that it is ready. */
function readyAddress(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const found = /"ready: \S+ on ([^\s,"]+)/.exec(text);
      if (found !== null) resolve(found[1]!);
    });
    child.once('exit', () => reject(new Error(`it ended: ${text}`)));
  });
}
