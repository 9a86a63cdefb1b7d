// Other programs that tests compare with or use: found where installed, skipped in sight where not, and required under
// CI=true (scripts/install-peers.sh installs them). Thread: main.

import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';

/** The file names that each peer goes by. */
const COMMANDS = {
  haproxy: ['haproxy'],
  nginx: ['nginx'],
  wrk: ['wrk'],
  h2load: ['h2load'],
  caddy: ['caddy'],
  chromium: ['chromium', 'chromium-browser', 'google-chrome'],
  python3: ['python3'],
  promtool: ['promtool'],
} as const;

export type Peer = keyof typeof COMMANDS;

/** Where to look, and whether a peer must be there. Only the tests of this module change it. */
export interface PeerSearch {
  readonly folders: readonly string[];
  readonly isRequired: boolean;
}

/** Debian puts daemons here, and not every user's PATH has these. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

const THIS_MACHINE: PeerSearch = {
  folders: [...(process.env['PATH'] ?? '').split(path.delimiter), ...SYSTEM_FOLDERS].filter((folder) => folder !== ''),
  isRequired: process.env['CI'] === 'true' || process.env['CI'] === '1',
};

/** The absolute path of a peer's program, or undefined where it isn't installed. */
export function findPeer(name: Peer, search = THIS_MACHINE): string | undefined {
  const { folders } = search;
  const candidates = COMMANDS[name].flatMap((command) => folders.map((folder) => path.resolve(folder, command)));
  return candidates.find(isExecutable);
}

/**
 * The same for a test that can't do without: `const haproxy = requirePeer(t, 'haproxy'); if (haproxy === undefined)
 * return;`. Where the peer is missing the test is skipped with that reason; under CI=true this throws instead.
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
