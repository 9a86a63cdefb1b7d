// The source `etcd` with a real server that requires authentication: changes, compaction, restarts. Thread: main.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { freePort } from '../../scripts/peers/free-port.ts';
import { eventually, startFairlead } from '../support/fairlead.ts';
import { requirePeer } from '../support/peers.ts';
import { runBlocks } from '../integration/docs/page-steps.ts';

/** A server with a user `root` whose password is `secret`. */
async function startEtcd(t: TestContext, program: string) {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-etcd-'));
  const url = `http://127.0.0.1:${await freePort()}`;
  const peer = `http://127.0.0.1:${await freePort()}`;
  const args = ['--data-dir', folder, '--listen-client-urls', url, '--advertise-client-urls', url];
  const cluster = [
    '--listen-peer-urls',
    peer,
    '--initial-advertise-peer-urls',
    peer,
    '--initial-cluster',
    `default=${peer}`,
  ];
  let child: ChildProcess;
  let token = '';
  const post = async (name: string, body: object): Promise<{ readonly token?: string }> => {
    const options = {
      method: 'POST',
      body: JSON.stringify(body),
      ...(token !== '' && { headers: { authorization: token } }),
    };
    const answer = await fetch(`${url}/v3/${name}`, options);
    if (!answer.ok) throw new Error(`${name}: ${await answer.text()}`);
    return (await answer.json()) as { readonly token?: string };
  };
  const login = async (): Promise<void> => {
    token = '';
    token = (await post('auth/authenticate', { name: 'root', password: 'secret' })).token!;
  };
  const launch = (): Promise<void> => {
    child = spawn(program, [...args, ...cluster], { stdio: 'ignore' });
    const isReady = (): Promise<boolean> =>
      fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      );
    return eventually(isReady, 'etcd is ready');
  };
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  });
  await launch();
  await post('auth/user/add', { name: 'root', password: 'secret' });
  await post('auth/user/grant', { user: 'root', role: 'root' }).catch(async () => {
    await post('auth/role/add', { name: 'root' });
    await post('auth/user/grant', { user: 'root', role: 'root' });
  });
  await post('auth/enable', {});
  await login();
  const put = (key: string, value: string) =>
    post('kv/put', { key: Buffer.from(key).toString('base64'), value: Buffer.from(value).toString('base64') });
  const remove = (key: string) => post('kv/deleterange', { key: Buffer.from(key).toString('base64') });
  return { url, post, put, remove, launch, login, kill: () => child.kill('SIGKILL') };
}

test('keys of etcd are followed over compactions and restarts', async (t) => {
  const program = requirePeer(t, 'etcd');
  if (program === undefined) return;
  const etcd = await startEtcd(t, program);
  await etcd.put('fairlead/api/1', 'http://127.0.0.1:1001');
  const fairlead = await startFairlead(
    t,
    `
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: api }]
workers: 1
upstreams:
  api:
    discover:
      etcd: { address: ["${etcd.url}"], prefix: fairlead/api/, username: root, password: secret }
    health: { heartbeat: false }
`,
  );
  const until = (expected: string, what: string): Promise<void> => {
    const ports = () => fairlead.plane.snapshot.upstreams[0]!.endpoints.map(({ port, weight }) => `${port}*${weight}`);
    return eventually(() => ports().toSorted().join(' ') === expected, what);
  };
  await until('1001*1', 'the first key');
  await etcd.put('fairlead/api/2', '{ url: http://127.0.0.1:1002, weight: 3 }');
  await etcd.put('fairlead/apix', 'not below the prefix');
  await until('1001*1 1002*3', 'another key');
  await etcd.put('fairlead/api/3', 'http:/');
  await eventually(
    () => fairlead.log.some(({ text }) => text.includes('key fairlead/api/3:1:3: ')),
    'the mistake is located',
  );
  await until('1001*1 1002*3', 'the last good list is kept');
  await etcd.remove('fairlead/api/3');
  await etcd.post('kv/compaction', { revision: '4' });
  await etcd.remove('fairlead/api/1');
  await until('1002*3', 'a key is removed');
  etcd.kill();
  await eventually(
    () => fairlead.log.some(({ text }) => /source etcd .* failed: http/.test(text)),
    'the server is lost',
  );
  await until('1002*3', 'the last good list is kept');
  await etcd.launch();
  await etcd.login();
  await etcd.put('fairlead/api/4', '["http://127.0.0.1:1004"]');
  await until('1002*3 1004*1', 'changes are followed again');
  assert.equal(fairlead.plane.snapshot.revision, 1);
  if (requirePeer(t, 'etcdctl') === undefined) return;
  runBlocks('docs/discovery.md', 'etcd', {
    ETCDCTL_API: '3',
    ETCDCTL_ENDPOINTS: etcd.url,
    ETCDCTL_USER: 'root:secret',
  });
  await until('1004*1 3000*1 3000*3', 'the commands of the page');
});
