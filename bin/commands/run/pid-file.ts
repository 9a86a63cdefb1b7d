// The pid file: names the process that handles signals. Thread: main.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Writes this process's pid and removes the file at exit, unless another process has overwritten it. */
export function writePidFile(path: string): void {
  const text = `${process.pid}\n`;
  writeFileSync(path, text);
  process.on('exit', () => {
    try {
      if (readFileSync(path, 'utf8') === text) rmSync(path);
    } catch {
      // The file or its folder is already gone.
    }
  });
}
