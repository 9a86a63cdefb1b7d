// `fairlead config print` as a process: of a file, and of one that runs. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AdminServer } from '../../../admin/api/admin-server.ts';
import { type CommandOutcome, configFile, runCommand } from '../../support/fairlead-process.ts';
import { adminAt, FakeContext, LOOPBACK } from '../../unit/admin/fake-context.ts';

const CONFIG = `# a comment
listeners: [{ name: web, bind: "127.0.0.1:\${PORT}" }]
routes: [{ upstream: app }]
upstreams:
  app: { endpoints: ["http://127.0.0.1:3000"], sticky: { cookie: lb, secret: "\${SECRET}" } }
`;
const VARIABLES = { PORT: '8080', SECRET: 'a secret of the tests' };

function print(...args: readonly string[]): Promise<CommandOutcome> {
  return runCommand(['config', 'print', ...args], { env: { ...process.env, ...VARIABLES } });
}

describe('fairlead config print', () => {
  test('prints a file with its variables and secrets, or without', async (t) => {
    const { file } = configFile(t, CONFIG);
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
    assert.deepEqual([live.code, live.stdout], [0, '# revision 7 of "fairlead.yaml"\nworkers: 2\n']);
    assert.equal((await print('--admin', address, '--defaults')).code, 2);
    const config = () => ({ routes: [{ name: 'trial', upstream: 'web' }] });
    context.written = { file: 'fairlead.yaml', characters: 11, config };
    const { stdout } = await print('--admin', address);
    assert.match(stdout, /^ {2}# from kubernetes ingress shop\/web\n {2}- name: trial$/m);
    context.written = null;
    assert.equal((await print('--live', '--admin', address)).code, 4);
  });

  test('refuses what check refuses, with its exit codes', async (t) => {
    const broken = await print(configFile(t, CONFIG.replace('endpoints', 'endpints')).file);
    assert.deepEqual([broken.code, broken.stdout], [1, '']);
    assert.match(broken.stderr, /did you mean "endpoints"/);
    assert.equal((await print('/nowhere/fairlead.yaml')).code, 2);
  });
});
