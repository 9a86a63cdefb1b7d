// A program that forwards a signal that the process group gets as well, such as npm or timeout(1), sends it twice. The second one cut the drain
// that the first had begun. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handleSignals, type SignalParts } from '../../bin/commands/run/signals.ts';
import type { ForwardedSignal } from '../../control/holder/holder-messages.ts';
import { type LogLine, recordingLog } from '../support/loggers.ts';

test('a second signal within half a second is the same one, a later one cuts the drain', (t) => {
  const calls: string[] = [];
  const lines: LogLine[] = [];
  let nowMs = 1_000;
  let send: (signal: ForwardedSignal) => void = () => undefined;
  const forever = (name: string) => () => {
    calls.push(name);
    return new Promise<void>(() => undefined);
  };
  const before = new Map(process.eventNames().map((name) => [name, process.listeners(name as 'SIGTERM')]));
  handleSignals({
    plane: { drain: forever('drain'), close: forever('close') },
    log: recordingLog(lines),
    link: { handle: ({ signal }: { signal: typeof send }) => (send = signal) },
    terminal: { hasHungUp: false },
    nowMs: () => nowMs,
  } as unknown as SignalParts);
  t.after(() => {
    for (const name of process.eventNames() as 'SIGTERM'[]) {
      for (const one of process.listeners(name)) if (before.get(name)?.includes(one) !== true) process.off(name, one);
    }
  });
  send('SIGINT');
  nowMs += 400;
  send('SIGINT');
  assert.deepEqual(calls, ['drain']);
  nowMs += 200;
  send('SIGTERM');
  assert.deepEqual(calls, ['drain', 'close']);
  assert.match(lines[0]?.text ?? '', /a second signal arrived during the drain: exchanges in flight are cut/);
});
