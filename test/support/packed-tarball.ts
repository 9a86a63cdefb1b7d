// Packs the package of this checkout for tests. One at a time: packing rebuilds dist/, which another `npm pack` may be
// reading. Thread: main.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const ROOT = path.join(import.meta.dirname, '../..');
const LOCK = path.join(tmpdir(), `fairlead-pack-${createHash('sha256').update(ROOT).digest('hex').slice(0, 12)}`);
const OWNER = path.join(LOCK, 'pid');
const POLL_MS = 100;
const run = promisify(execFile);

/** The environment without the settings of `npm test` for its scripts. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_(?!config_)|NODE_(?!EXTRA_CA))/i.test(name)),
  );
}

/** Puts the packed package into a folder and returns the name of the tarball: `npm pack` runs once in a run of tests. */
export async function packTarball(folder: string): Promise<string> {
  const shared = process.env['FAIRLEAD_TEST_RUN_FOLDER'] ?? folder;
  await lock();
  try {
    if (tarballIn(shared) === undefined) {
      await run('npm', ['pack', '--pack-destination', shared, '--silent'], { cwd: ROOT, env: plainEnvironment() });
    }
  } finally {
    rmSync(LOCK, { recursive: true, force: true });
  }
  const name = tarballIn(shared)!;
  if (shared !== folder) copyFileSync(path.join(shared, name), path.join(folder, name));
  return name;
}

function tarballIn(folder: string): string | undefined {
  return readdirSync(folder).find((name) => name.endsWith('.tgz'));
}

/** Creating a folder is atomic, so only one process succeeds. A lock whose owner has died is removed. */
async function lock(): Promise<void> {
  for (;;) {
    try {
      mkdirSync(LOCK);
      writeFileSync(OWNER, String(process.pid));
      return;
    } catch {
      if (!isOwnerAlive()) rmSync(LOCK, { recursive: true, force: true });
      await sleep(POLL_MS);
    }
  }
}

/** True also in the moment before the owner has written its pid. */
function isOwnerAlive(): boolean {
  let pid: number;
  try {
    pid = Number(readFileSync(OWNER, 'utf8'));
  } catch {
    return true;
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
