// `fairlead config print` as a process: of a file, and of one that runs. Thread: main.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { AdminServer } from '../../../admin/admin-server.ts';
import { adminAt, FakeContext, LOOPBACK } from '../../unit/admin/fake-context.ts';

const ENTRY = path.join(import.meta.dirname, '../../../bin/fairlead.ts');
const CONFIG = `# a comment
listeners: [{ name: web, bind: "127.0.0.1:\${PORT}" }]
routes: [{ upstream: app }]
upstreams:
  app: { endpoints: ["http://127.0.0.1:3000"], sticky: { cookie: lb, secret: "\${SECRET}" } }
`;
const VARIABLES = { PORT: '8080', SECRET: 'a secret of the tests' };

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function print(...args: readonly string[]): Promise<Outcome> {
  const env = { ...process.env, ...VARIABLES };
  return new Promise((resolve) => {
    execFile(process.execPath, [ENTRY, 'config', 'print', ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

function written(t: TestContext, text: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'fairlead.yaml');
  writeFileSync(file, text);
  return file;
}

describe('fairlead config print', () => {
  test('prints a file with its variables and secrets, or without', async (t) => {
    const file = written(t, CONFIG);
    const whole = await print(file);
    assert.deepEqual([whole.code, whole.stderr], [0, '']);
    assert.match(whole.stdout, /^listeners:\n {2}- name: web\n {4}bind: 127\.0\.0\.1:8080\n/);
    assert.match(whole.stdout, /secret: a secret of the tests\n/);
    const redacted = await print('--redact', '-c', file);
    assert.match(redacted.stdout, /bind: 127\.0\.0\.1:\$\{PORT\}\n/);
    assert.doesNotMatch(redacted.stdout, /of the tests/);
    assert.match((await print(file, '--defaults')).stdout, /^ {4}balance: least-request$/m);
  });

  test('prints what runs, as it is given out', async (t) => {
    const context = new FakeContext();
    const server = new AdminServer(context);
    t.after(() => server.close());
    const address = await server.start(adminAt(LOOPBACK));
    const live = await print('--admin', address);
    assert.deepEqual([live.code, live.stdout], [0, '# generation 7 of "fairlead.yaml"\nworkers: 2\n']);
    assert.equal((await print('--admin', address, '--defaults')).code, 2);
    context.written = null;
    assert.equal((await print('--live', '--admin', address)).code, 4);
  });

  test('refuses what check refuses, with its exit codes', async (t) => {
    const broken = await print(written(t, CONFIG.replace('endpoints', 'endpints')));
    assert.deepEqual([broken.code, broken.stdout], [1, '']);
    assert.match(broken.stderr, /did you mean "endpoints"/);
    assert.equal((await print('/nowhere/fairlead.yaml')).code, 2);
  });
});
