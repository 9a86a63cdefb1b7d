// Other programs that tests compare with or use. A missing program skips its tests with a message, or fails them with
// CI=true (scripts/install-peers.sh installs them). Thread: main.

import { accessSync, constants, globSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';

/** File names of each peer's program. */
const COMMANDS = {
  haproxy: ['haproxy'],
  nginx: ['nginx'],
  wrk: ['wrk'],
  h2load: ['h2load'],
  nghttp: ['nghttp'],
  curl: ['curl'],
  caddy: ['caddy'],
  chromium: ['chromium', 'chromium-browser', 'google-chrome'],
  python3: ['python3'],
  promtool: ['promtool'],
  pebble: ['pebble'],
  postgres: ['postgres'],
  mariadbd: ['mariadbd'],
  'mariadb-install-db': ['mariadb-install-db'],
  mariadb: ['mariadb'],
  'redis-server': ['redis-server'],
  consul: ['consul'],
  podman: ['podman'],
  etcd: ['etcd'],
  etcdctl: ['etcdctl'],
  busybox: ['busybox'],
  dnsmasq: ['dnsmasq'],
} as const;

export type Peer = keyof typeof COMMANDS;

/** Search path, and whether peers are required. Only the tests of this module change it. */
export interface PeerSearch {
  readonly folders: readonly string[];
  readonly isRequired: boolean;
}

/** Debian's folders of daemons, which aren't in every user's PATH. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', ...globSync('/usr/lib/postgresql/*/bin')];

const THIS_MACHINE: PeerSearch = {
  folders: [...(process.env['PATH'] ?? '').split(path.delimiter), ...SYSTEM_FOLDERS].filter((folder) => folder !== ''),
  isRequired: process.env['CI'] === 'true' || process.env['CI'] === '1',
};

/** The absolute path of a peer's program, or undefined if it isn't installed. */
export function findPeer(name: Peer, search = THIS_MACHINE): string | undefined {
  const { folders } = search;
  const candidates = COMMANDS[name].flatMap((command) => folders.map((folder) => path.resolve(folder, command)));
  return candidates.find(isExecutable);
}

/**
 * The same for a test that requires the peer: `const haproxy = requirePeer(t, 'haproxy'); if (haproxy === undefined)
 * return;`. If the peer is missing, the test is skipped with that reason; with CI=true this throws instead.
 */
export function requirePeer(t: Pick<TestContext, 'skip'>, name: Peer, search = THIS_MACHINE): string | undefined {
  const found = findPeer(name, search);
  if (found !== undefined) return found;
  const reason = `${name} is not installed (scripts/install-peers.sh installs it)`;
  if (search.isRequired) throw new Error(reason);
  t.skip(reason);
  return undefined;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
