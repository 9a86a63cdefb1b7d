// Packs and installs the package of this checkout for tests. One at a time: packing rebuilds dist/, which another `npm pack` may be
// reading. Thread: main.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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

/** The other line of Node that is supported. The npm package of its binary has no install script. */
const NODE_24 = `node-${process.platform}-${process.arch}@24`;

/**
 * Makes a folder a project that has installed the packed package, and Node 24 as `node24`. `npm pack` and `npm install` run
 * once in a run of tests; the projects share node_modules.
 */
export async function installPackage(folder: string): Promise<void> {
  const installed = path.join(process.env['FAIRLEAD_TEST_RUN_FOLDER'] ?? folder, 'installed');
  await lock();
  try {
    if (!existsSync(path.join(installed, 'node_modules/fairlead'))) await packInto(installed);
  } finally {
    rmSync(LOCK, { recursive: true, force: true });
  }
  symlinkSync(path.join(installed, 'node_modules'), path.join(folder, 'node_modules'));
  writeProject(folder);
}

async function packInto(installed: string): Promise<void> {
  mkdirSync(installed, { recursive: true });
  writeProject(installed);
  const env = plainEnvironment();
  await run('npm', ['pack', '--pack-destination', installed, '--silent'], { cwd: ROOT, env });
  const tarball = readdirSync(installed).find((name) => name.endsWith('.tgz'))!;
  const options = ['--prefer-offline', '--no-audit', '--no-fund', '--force'];
  await run('npm', ['install', ...options, `./${tarball}`, `node24@npm:${NODE_24}`], { cwd: installed, env });
}

function writeProject(folder: string): void {
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
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
