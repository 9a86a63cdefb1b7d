// The packed package as its users get it: installed from the tarball into an empty folder, on the pinned Node and on
// the oldest line that it supports. Needs npm, and its cache or the registry. Thread: main.
// Own process: a failed preparation must not fail the tests of other files.

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { nativePrograms } from '../../../scripts/image/image-programs.ts';
import { writeRootFiles } from '../../../scripts/image/root-files.ts';
import { installPackage } from '../../support/packed-tarball.ts';
import { shortOrLong } from '../../support/test-length.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const run = promisify(execFile);
const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-package-'));
const nodes: { readonly name: string; readonly path: string }[] = [{ name: 'the pinned Node', path: process.execPath }];

before(async () => {
  await installPackage(folder);
  nodes.push({ name: 'Node 24', path: path.join(folder, 'node_modules/node24/bin/node') });
});
after(() => rmSync(folder, { recursive: true, force: true }));

describe('the tarball', () => {
  test('has what it needs and nothing of the workshop', () => {
    const installed = path.join(folder, 'node_modules/fairlead');
    const there = readdirSync(installed);
    for (const name of ['dist', 'examples', 'fairlead.schema.json', 'README.md']) assert.ok(there.includes(name), name);
    for (const name of ['test', 'scripts', 'node_modules', '.ci']) assert.ok(!there.includes(name), name);
    const { bin } = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8')) as {
      bin: { fairlead: string };
    };
    assert.match(readFileSync(path.join(installed, bin.fairlead), 'utf8'), /^#!\/usr\/bin\/env node\n/);
  });

  test('its files and packages are enough for the container image', (t) => {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return t.skip('chroot(8) needs root on Linux');
    const root = path.join(folder, 'image');
    writeRootFiles({ source: ROOT, programs: nativePrograms(process.execPath), root });
    const inImage = (...args: string[]) =>
      spawnSync('chroot', ['--userspec=65532:65532', root, '/usr/local/bin/fairlead', ...args], {
        encoding: 'utf8',
        env: { PATH: '/usr/local/bin:/usr/bin:/usr/sbin:/sbin' },
      });
    assert.match(inImage('version').stdout, /^\d+\.\d+\.\d+\n$/);
    assert.equal(inImage('check', '/opt/fairlead/examples/minimal.yaml').status, 0);
    // The user may write to /tmp alone.
    assert.equal(inImage('init', '/tmp/a.yaml', '--upstream', 'http://127.0.0.1:1').status, 0);
    assert.equal(inImage('init', '/etc/fairlead/a.yaml', '--upstream', 'http://127.0.0.1:1').status, 2);
    return undefined;
  });

  test('runs no script when it is installed', () => {
    const manifest = readFileSync(path.join(folder, 'node_modules/fairlead/package.json'), 'utf8');
    const { scripts } = JSON.parse(manifest) as { scripts: Record<string, string> };
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare'])
      assert.equal(scripts[name], undefined, name);
  });

  for (const index of [0, 1]) {
    const nodeName = ['the pinned Node', 'Node 24'][index]!;
    describe(`on ${nodeName}`, () => {
      test('npx fairlead version and check', async () => {
        const version = await npx(index, ['version']);
        assert.match(version.trim(), /^\d+\.\d+\.\d+$/);
        const example = 'node_modules/fairlead/examples/minimal.yaml';
        await npx(index, ['check', example]);
        writeFileSync(path.join(folder, 'broken.yaml'), 'listenerz: []\n');
        await assert.rejects(npx(index, ['check', 'broken.yaml']), (error: { code?: number; stderr?: string }) => {
          assert.equal(error.code, 1);
          return true;
        });
      });

      test('npx fairlead run serves, and ends on TERM', async (t) => {
        const app = await startApp(t);
        const file = path.join(folder, `run-${index}.yaml`);
        writeFileSync(
          file,
          `listeners: [{ name: web, bind: "127.0.0.1:0" }]\nroutes: [{ upstream: api }]\nupstreams: { api: { endpoints: ["http://${app}"] } }\n`,
        );
        const child = start(t, index, ['run', '--config', file]);
        const address = await readyAddress(child);
        assert.equal(await (await fetch(`http://${address}/`)).text(), 'from the app');
        child.kill('SIGTERM');
        assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 0);
      });

      // The demo starts seven processes; the other tests of Node 24 load the same modules.
      test('npx fairlead demo serves, and so does its dashboard', {
        skip: index === shortOrLong(1, -1) && 'on Node 24 only in npm run test:long',
      }, async (t) => {
        const child = start(t, index, ['demo', '--port', '0', '--admin-port', '0']);
        const [address, admin] = await Promise.all([readyAddress(child), readyAddress(child, ADMIN_ADDRESS)]);
        assert.equal((await fetch(`http://${address}/`)).status, 200);
        const page = await (await fetch(`http://${admin}/`)).text();
        const files = [...page.matchAll(/(?:src|href)="([^"#]+)"/g)].map((match) => match[1]!);
        assert.ok(files.some((file) => file.endsWith('/main.js')));
        const charts = files[0]!.replace(/[^/]+$/, 'parts/uPlot.esm.js');
        for (const file of [...files, charts])
          assert.equal((await fetch(`http://${admin}/dashboard/${file}`)).status, 200, file);
      });

      test("import { createFairlead } from 'fairlead'", async (t) => {
        const app = await startApp(t);
        writeFileSync(
          path.join(folder, 'embed.js'),
          `import { createFairlead } from 'fairlead';
           const config = { listeners: [{ name: 'web', bind: '127.0.0.1:0' }], routes: [{ upstream: 'api' }],
             upstreams: { api: { endpoints: ['http://${app}'] } } };
           const balancer = await createFairlead({ config, log: 'none' });
           console.log(await (await fetch('http://' + balancer.listeners[0].address)).text());
           await balancer.close();`,
        );
        const { stdout } = await run(nodes[index]!.path, ['embed.js'], { cwd: folder });
        assert.equal(stdout, 'from the app\n');
      });
    });
  }

  test('has types that a TypeScript program compiles against', async () => {
    writeFileSync(
      path.join(folder, 'typed.ts'),
      `import { createFairlead, ConfigError, type Fairlead, type ConfigInput } from 'fairlead';
       const config: ConfigInput = { listeners: [{ name: 'web', bind: '127.0.0.1:0' }], routes: [{ upstream: 'a' }],
         upstreams: { a: { endpoints: ['http://127.0.0.1:1'], balance: 'least-request' } } };
       const balancer: Fairlead = await createFairlead({ config });
       const port: number = balancer.listeners[0]!.port;
       // @ts-expect-error: a state that there isn't
       balancer.setState('a/b:1', 'sleeping');
       export { ConfigError, port };\n`,
    );
    const options = [
      '--noEmit',
      '--strict',
      '--target',
      'es2024',
      '--lib',
      'es2024,esnext.disposable',
      '--module',
      'nodenext',
    ];
    const types = ['--typeRoots', path.join(ROOT, 'node_modules/@types'), '--types', 'node'];
    const tsc = path.join(ROOT, 'node_modules/.bin/tsc');
    await run(tsc, [...options, ...types, 'typed.ts'], { cwd: folder }).catch((error: { stdout: string }) =>
      assert.fail(error.stdout),
    );
  });

  test('has nothing that publint complains about', async () => {
    const publint = path.join(ROOT, 'node_modules/.bin/publint');
    const { stdout } = await run(publint, ['node_modules/fairlead', '--strict'], { cwd: folder }).catch(
      (error: { stdout: string }) => assert.fail(error.stdout),
    );
    assert.match(stdout, /All good/);
  });
});

/** Runs the installed command to its end. */
async function npx(index: number, args: readonly string[]): Promise<string> {
  const command = path.join(folder, 'node_modules/.bin/fairlead');
  return (await run(nodes[index]!.path, [command, ...args], { cwd: folder })).stdout;
}

function start(t: TestContext, index: number, args: readonly string[]): ChildProcess {
  const command = path.join(folder, 'node_modules/.bin/fairlead');
  const child = spawn(nodes[index]!.path, [command, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
  });
  return child;
}

/** In the line of the log that says that it is ready. */
const LISTENER_ADDRESS = /"ready: \S+ on ([^\s,"]+)/;
const ADMIN_ADDRESS = /"admin":"([^"]+)"/;

/** `host:port` of the first listener, or of what else that line names. */
function readyAddress(child: ChildProcess, pattern = LISTENER_ADDRESS): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const found = pattern.exec(text);
      if (found !== null) resolve(found[1]!);
    });
    child.once('exit', () => reject(new Error(`it ended: ${text}`)));
  });
}

async function startApp(t: TestContext): Promise<string> {
  const server = createServer((_request, response) => response.end('from the app'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
