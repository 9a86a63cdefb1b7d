// Lines of the process log for people: parts, colours, and text that must not control a terminal. Thread: main.

import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { humanLine, painterFor } from '../../../logging/human-line.ts';
import { openMainLog } from '../../../logging/process-log.ts';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { WriteStream } from 'node:tty';
import path from 'node:path';
import { FakeClock } from '../../support/fake-clock.ts';

const at = new Date(2026, 0, 2, 3, 4, 5, 67);
const plain = (_part: string, text: string): string => text;

function line(text: string, fields: object = {}, level: 'info' | 'warn' | 'error' = 'warn'): string {
  return humanLine({ level, fields, text, at }, plain);
}

describe('a line', () => {
  test('has local time, level and sentence', () => {
    assert.equal(line('endpoint is down'), '03:04:05.067 WARN  endpoint is down\n');
    assert.equal(line('ready', {}, 'info'), '03:04:05.067 INFO  ready\n');
  });

  test('has the worker that wrote it, and the cause that the sentence lacks', () => {
    const fields = { worker: 2, err: { type: 'Error', message: 'boom' } };
    assert.equal(line('it failed', fields), '03:04:05.067 WARN  it failed: boom [worker 2]\n');
    assert.equal(line('it failed', { err: new Error('boom') }), '03:04:05.067 WARN  it failed: boom\n');
    assert.equal(line('it failed: boom', { error: 'boom' }), '03:04:05.067 WARN  it failed: boom\n');
  });

  test('is followed by the changes of a reload, and by problems that the sentence lacks', () => {
    const changes = ['route api removed', 'route b\nadded'];
    assert.equal(
      line('revision 2 runs', { changes }, 'info'),
      '03:04:05.067 INFO  revision 2 runs\n  route api removed\n  route b?added\n',
    );
    const problems = ['f.yaml:1:1: one [FL1]', 'f.yaml:2:1: two [FL2]'];
    assert.equal(
      line('refused: f.yaml:1:1: one [FL1] (and 1 more)', { problems }, 'error'),
      '03:04:05.067 ERROR refused: f.yaml:1:1: one [FL1] (and 1 more)\n  f.yaml:2:1: two [FL2]\n',
    );
  });

  test('controls no terminal: escapes and line breaks are replaced, in sentence and cause', () => {
    const text = line('a\u001b[2J\nb\u009b\u2028', { error: 'c\r\u202e' });
    assert.equal(text, '03:04:05.067 WARN  a?[2J?b??: c??\n');
  });
});

describe('colours', () => {
  /** A stream that claims to be a terminal, or not. */
  function streamOf(isTTY: boolean): NodeJS.WriteStream {
    const depth = { getColorDepth: (environment?: object) => WriteStream.prototype.getColorDepth(environment) };
    return Object.assign(new Writable(), { isTTY, ...depth }) as unknown as NodeJS.WriteStream;
  }

  /** Runs `check` with this environment alone: Node counts colours by CI, TMUX, COLORTERM and others as well. */
  function withEnvironment(values: Readonly<Record<string, string>>, check: () => void): void {
    const previous = process.env;
    process.env = { TERM: 'xterm-256color', ...values };
    try {
      check();
    } finally {
      process.env = previous;
    }
  }

  for (const { isTTY, environment, hasColor } of [
    { isTTY: true, environment: {}, hasColor: true },
    { isTTY: false, environment: {}, hasColor: false },
    { isTTY: true, environment: { NO_COLOR: '1' }, hasColor: false },
    { isTTY: false, environment: { FORCE_COLOR: '1' }, hasColor: true },
  ]) {
    test(`${isTTY ? 'terminal' : 'pipe'} with ${JSON.stringify(environment)}: ${hasColor ? 'on' : 'off'}`, () => {
      withEnvironment(environment, () => {
        const painted = painterFor(streamOf(isTTY))('error', 'ERROR');
        assert.equal(painted.includes('\u001b['), hasColor);
      });
    });
  }

  for (const { format, isTTY, isHuman } of [
    { format: 'auto', isTTY: true, isHuman: true },
    { format: 'auto', isTTY: false, isHuman: false },
    { format: 'json', isTTY: true, isHuman: false },
    { format: 'human', isTTY: false, isHuman: true },
  ] as const) {
    test(`log.format ${format} on a ${isTTY ? 'terminal' : 'pipe'} writes ${isHuman ? 'sentences' : 'JSON'}`, (t) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-human-'));
      t.after(() => rmSync(folder, { recursive: true }));
      const output = path.join(folder, 'log');
      const log = openMainLog({ level: 'info', output, timers: new FakeClock(), stream: streamOf(isTTY) });
      log.setFormat(format);
      log.write('warn', { worker: 1, upstream: 'app' }, 'from a worker');
      log.flushNow();
      const text = readFileSync(output, 'utf8');
      if (isHuman) assert.match(text, /^\S*\d\d:\d\d:\d\d\.\d{3}\S* \S*WARN.* from a worker.*\[worker 1\]\S*\n$/);
      else assert.equal((JSON.parse(text) as { upstream: string }).upstream, 'app');
    });
  }
});
