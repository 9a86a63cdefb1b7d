// install-peers.sh: nothing to do where all is there, and clear refusals. Installing is not tried here. Thread: main.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { writeTree } from './fixture-tree.ts';

const SCRIPT = path.resolve(import.meta.dirname, '../../../scripts/install-peers.sh');
const DEFAULTS = [
  'haproxy',
  'nginx',
  'wrk',
  'h2load',
  'caddy',
  'python3',
  'openssl',
  'curl',
  'promtool',
  'pebble',
  'postgres',
  'mariadbd',
  'redis-server',
  'kubectl',
  'consul',
  'podman',
  'runc',
  'busybox',
  'dnsmasq',
  'etcd',
  'etcdctl',
];

/** Runs the script where these programs, and an apt-get that fails loudly, come first in PATH. */
function install(
  t: TestContext,
  programs: readonly string[],
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): [number | null, string] {
  const names = [...programs, 'apt-get'];
  const root = writeTree(
    t,
    Object.fromEntries(names.map((name) => [name, '#!/bin/sh\necho "$0 was called"\nexit 9\n'])),
  );
  for (const name of names) chmodSync(path.join(root, name), 0o755);
  const { PATH: folders = '' } = process.env;
  const run = spawnSync('bash', [SCRIPT, ...args], {
    encoding: 'utf8',
    env: { ...process.env, PEERS_BROWSER: '', ...env, PATH: `${root}:${folders}` },
  });
  return [run.status, run.stdout + run.stderr];
}

test('if all programs are installed it says so and runs nothing', (t) => {
  assert.deepEqual(install(t, DEFAULTS, []), [0, `install-peers: all there: ${DEFAULTS.join(' ')}\n`]);
});

test('the browser is installed with an argument or with PEERS_BROWSER=1', (t) => {
  assert.deepEqual(install(t, ['chromium'], ['chromium']), [0, 'install-peers: all there: chromium\n']);
  const [, output] = install(t, [...DEFAULTS, 'chromium'], [], { PEERS_BROWSER: '1' });
  assert.match(output, /^install-peers: all there: .*etcdctl chromium\n$/);
});

test('an unknown name is refused', (t) => {
  const [status, output] = install(t, DEFAULTS, ['apache']);
  assert.equal(status, 1);
  assert.match(output, /^install-peers: unknown peer "apache": use .*haproxy/);
});
