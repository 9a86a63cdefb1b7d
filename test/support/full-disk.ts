// A small file system of its own that a test fills and frees: what a full disk does. Needs the right to mount. Thread: main.

import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const SIZE = '512k';
const PIECE = Buffer.alloc(4096);

/** A mounted disk. */
export interface SmallDisk {
  readonly folder: string;
  /** Fills it to the last byte. */
  fill(): void;
  free(): void;
}

/** Mounts a disk, and unmounts it after the test; null where that isn't permitted. */
export function mountSmallDisk(t: Pick<TestContext, 'after'>): SmallDisk | null {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-disk-'));
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', folder]).status === 0;
  t.after(() => {
    if (isMounted) spawnSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  if (!isMounted) return null;
  const ballast = join(folder, 'ballast');
  return {
    folder,
    free: () => rmSync(ballast, { force: true }),
    fill: () => {
      try {
        for (;;) appendFileSync(ballast, PIECE);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    },
  };
}
