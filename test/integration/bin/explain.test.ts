// `fairlead explain` as a process: of a file, of one that runs, and what it refuses. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ExplainReply } from '../../../admin/api/explain-schemas.ts';
import { AdminServer } from '../../../admin/api/admin-server.ts';
import { type CommandOutcome, configFile, runCommand } from '../../support/fairlead-process.ts';
import { adminAt, FakeContext, LOOPBACK } from '../../unit/admin/fake-context.ts';

const CONFIG = `
listeners: [{ name: web, bind: 127.0.0.1:8080 }]
routes:
  - { name: old, match: { path: /old }, redirect: { to: /new } }
  - { name: all, upstream: app }
upstreams:
  app: { endpoints: ["http://127.0.0.1:3000", "http://127.0.0.1:3001"], health: { heartbeat: { path: /healthz } } }
`;

function explain(...args: readonly string[]): Promise<CommandOutcome> {
  return runCommand(['explain', ...args]);
}

describe('fairlead explain', () => {
  test('explains a request by a file, as text and as JSON', async (t) => {
    const { file } = configFile(t, CONFIG);
    const text = await explain('localhost:8080/x', '-m', 'POST', '-H', 'X-A: 1', '-c', file);
    assert.equal(text.code, 0, text.stderr);
    assert.match(
      text.stdout,
      /^POST \/x for localhost:8080, from 127\.0\.0\.1\nlistener +web: it listens on port 8080\n/,
    );
    assert.match(text.stdout, /\n +1 {2}old +no, path: wants \/old, has \/x\n +2 {2}all +matches, and is the first\n/);
    assert.match(text.stdout, /\nchoice +127\.0\.0\.1:300[01]: fewest requests in flight .*2 are equal/);
    const json = await explain('http://localhost:8080/old', '--json', '-c', file);
    const reply = JSON.parse(json.stdout) as ExplainReply;
    assert.deepEqual(reply.action, { kind: 'redirect', status: 308, location: '/new' });
  });

  test('asks the one that runs', async (t) => {
    const context = new FakeContext();
    const server = new AdminServer(context);
    t.after(() => server.close());
    const address = await server.start(adminAt(LOOPBACK));
    const options = ['--admin', address, '--client', '192.0.2.7', '--listener', 'web', '-H', 'A: b c', '-H', 'D: e'];
    const { code, stdout, stderr } = await explain('http://a.test/?x=%20&y', '--json', ...options);
    assert.equal(code, 0, stderr);
    const { generation, request, upstream } = JSON.parse(stdout) as ExplainReply;
    assert.deepEqual(
      [generation, upstream?.name, request.target, request.client],
      [7, 'api', '/?x=%20&y', '192.0.2.7'],
    );
    assert.deepEqual(request.fields, [
      { name: 'A', value: 'b c' },
      { name: 'D', value: 'e' },
    ]);
    const refused = await explain('http://a.test/', '--admin', address, '--listener', 'none');
    assert.deepEqual([refused.code, refused.stderr], [2, 'fairlead: there is no listener none; there are: web\n']);
  });

  test('refuses what no client could send, and a file that is refused', async (t) => {
    const { file } = configFile(t, CONFIG);
    const noHost = await explain('http:///x', '-c', file);
    assert.deepEqual([noHost.code, noHost.stderr], [2, 'fairlead: "" is not a host with or without a port\n']);
    const broken = await explain('http://a.test/', '-c', configFile(t, CONFIG.replace('redirect', 'redirekt')).file);
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /did you mean "redirect"/);
    assert.equal((await explain('http://a.test/', '-c', `${file}.none`)).code, 2);
  });
});
