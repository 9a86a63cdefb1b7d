// The file that says which process to signal. Thread: main.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Writes this process's pid, and removes the file when the process ends, unless another one has written its own. */
export function writePidFile(path: string): void {
  const text = `${process.pid}\n`;
  writeFileSync(path, text);
  process.on('exit', () => {
    try {
      if (readFileSync(path, 'utf8') === text) rmSync(path);
    } catch {
      // It is gone already, or its folder is: there is nothing left to do.
    }
  });
}
