// Progress of long work: a line that replaces itself at a terminal, and nothing elsewhere. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Progress } from '../../../../bin/commands/progress.ts';

function progressOn(isTTY: boolean) {
  const written: string[] = [];
  const progress = new Progress({
    isTTY,
    columns: 10,
    write: (text: string | Uint8Array) => written.push(String(text)) > 0,
  });
  return { written, progress };
}

test('a terminal gets one line, cut to its width and removed at the end', () => {
  const { written, progress } = progressOn(true);
  progress.end();
  progress.show('3 in flight');
  progress.show('2');
  progress.end();
  progress.end();
  assert.deepEqual(written, ['\r\u001b[K3 in flig', '\r\u001b[K2', '\r\u001b[K']);
});

test('a pipe gets nothing', () => {
  const { written, progress } = progressOn(false);
  progress.show('3 in flight');
  progress.end();
  assert.deepEqual(written, []);
});
