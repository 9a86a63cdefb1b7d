// Receive windows of uploads: growth, its budget, and reuse. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  INITIAL_WINDOW_BYTES,
  ReceiveBudget,
  UploadWindow,
} from '../../../../../proxy/downstream/http2/receive-budget.ts';

const MAX_WINDOW_BYTES = 2_097_152;
const GROWTH_BYTES = 8_388_608;

/** Receives and consumes `totalBytes`, `stepMs` for each 16 KiB. @returns the largest window that the client had */
function upload(window: UploadWindow, totalBytes: number, stepMs: number): number {
  let open = INITIAL_WINDOW_BYTES;
  let largest = open;
  let nowMs = 0;
  for (let left = totalBytes; left > 0; ) {
    const size = Math.min(16_384, left, open);
    assert.ok(size > 0, 'the client is stopped');
    assert.ok(window.receive(size), 'the client may send what its window allows');
    open += window.consume(size, nowMs) - size;
    left -= size;
    nowMs += stepMs;
    largest = Math.max(largest, open);
  }
  return largest;
}

describe('the window of an upload', () => {
  test('grows up to 2 MiB while its bytes are consumed fast', () => {
    const window = new UploadWindow(new ReceiveBudget());
    window.begin(0);
    const largest = upload(window, 50_000_000, 1);
    assert.ok(largest > MAX_WINDOW_BYTES / 2 && largest <= MAX_WINDOW_BYTES, `${largest} bytes`);
  });

  test('stays small for a slow upload', () => {
    const window = new UploadWindow(new ReceiveBudget());
    window.begin(0);
    assert.ok(upload(window, 1_000_000, 500) <= INITIAL_WINDOW_BYTES);
  });

  test('is refused beyond its credit', () => {
    const window = new UploadWindow(new ReceiveBudget());
    window.begin(0);
    assert.equal(window.receive(INITIAL_WINDOW_BYTES), true);
    assert.equal(window.receive(1), false);
  });

  test('shares a budget, which is returned at the end', () => {
    const budget = new ReceiveBudget();
    const windows = Array.from({ length: 8 }, () => new UploadWindow(budget));
    for (const window of windows) window.begin(0);
    const sum = windows.reduce((total, window) => total + upload(window, 20_000_000, 1), 0);
    assert.ok(sum <= 8 * INITIAL_WINDOW_BYTES + GROWTH_BYTES, `${sum} bytes`);
    for (const window of windows) window.end();
    assert.equal(budget.take(GROWTH_BYTES), true);
    assert.equal(budget.take(1), false);
  });

  test('is whole again for another stream', () => {
    const window = new UploadWindow(new ReceiveBudget());
    window.begin(0);
    assert.equal(window.receive(INITIAL_WINDOW_BYTES), true);
    window.end();
    window.begin(0);
    assert.equal(window.receive(INITIAL_WINDOW_BYTES), true);
  });
});
