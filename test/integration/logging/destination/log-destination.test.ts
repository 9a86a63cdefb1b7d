// Log destinations on real files, pipes and devices, and their errors. Thread: both.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LogDestination } from '../../../../logging/destination/log-destination.ts';
import type { LogTrouble } from '../../../../logging/destination/log-trouble.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

let folder: string;
let clock: FakeClock;
let troubles: LogTrouble[];

before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fairlead-log-'));
});
after(() => {
  fs.rmSync(folder, { recursive: true });
});
beforeEach(() => {
  clock = new FakeClock();
  troubles = [];
});

function open(output: string): LogDestination {
  return new LogDestination({ output, timers: clock, onTrouble: (trouble) => troubles.push(trouble) });
}

function inFolder(name: string): string {
  return path.join(folder, name);
}

/** Node has no call for it. */
function makeFifo(pipe: string): void {
  execFileSync('/bin/sh', ['-c', 'mkfifo "$0"', pipe]);
}

function makePipe(name: string): { name: string; reader: number } {
  const pipe = inFolder(name);
  makeFifo(pipe);
  return { name: pipe, reader: openReader(pipe) };
}

function openReader(pipe: string): number {
  return fs.openSync(pipe, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
}

/** The present content of the pipe. */
function readPipe(reader: number): string {
  const chunks: Buffer[] = [];
  for (;;) {
    const buffer = Buffer.alloc(65_536);
    try {
      const length = fs.readSync(reader, buffer);
      if (length === 0) break;
      chunks.push(buffer.subarray(0, length));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
      break;
    }
  }
  return Buffer.concat(chunks).toString();
}

/** Gives the event loop turns until `holds`; the test's own timeout ends the wait. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await nextTurn();
}

function linesOf(text: string): string[] {
  assert.ok(text === '' || text.endsWith('\n'));
  return text.split('\n').slice(0, -1);
}

function openDescriptors(): number {
  return fs.readdirSync('/proc/self/fd').length;
}

describe('a file', () => {
  test('gets lines in order, after the flush time', async () => {
    const file = inFolder('timer.log');
    const destination = open(file);
    destination.append('one\n');
    destination.append('tw\u00f6\n');
    clock.advance(99);
    await nextTurn();
    assert.equal(fs.readFileSync(file, 'utf8'), '');
    clock.advance(1);
    await until(() => fs.statSync(file).size > 0);
    assert.equal(fs.readFileSync(file, 'utf8'), 'one\ntw\u00f6\n');
    await destination.close();
  });

  test('gets a full chunk of whole lines without waiting for its time', async () => {
    const file = inFolder('size.log');
    const destination = open(file);
    const line = `${'x'.repeat(999)}\n`;
    for (let i = 0; i < 100; i++) destination.append(line);
    await until(() => fs.statSync(file).size === 65_000);
    await destination.close();
    assert.equal(fs.readFileSync(file, 'utf8'), line.repeat(100));
    assert.equal(destination.droppedLines, 0);
  });

  test('is appended to, and not readable for others', async () => {
    const file = inFolder('append.log');
    for (const line of ['one\n', 'two\n']) {
      const destination = open(file);
      destination.append(line);
      await destination.close();
    }
    assert.equal(fs.readFileSync(file, 'utf8'), 'one\ntwo\n');
    assert.equal(fs.statSync(file).mode & 0o007, 0);
  });

  test('is reopened after a rotation, without a lost line or a leaked descriptor', async () => {
    const file = inFolder('rotated.log');
    const before = openDescriptors();
    const destination = open(file);
    const total = 5000;
    for (let i = 0; i < total; i++) {
      if (i === 1000 || i === 3000) {
        await until(() => fs.statSync(file).size > 0);
        fs.renameSync(file, `${file}.${i}`);
        destination.reopen();
      }
      if (i % 500 === 0) await nextTurn();
      destination.append(`${i} ${'x'.repeat(100)}\n`);
    }
    await destination.close();
    const texts = [`${file}.1000`, `${file}.3000`, file].map((name) => fs.readFileSync(name, 'utf8'));
    assert.deepEqual(
      linesOf(texts.join('')).map((line) => Number(line.split(' ')[0])),
      Array.from({ length: total }, (_, i) => i),
    );
    assert.ok(texts.every((text) => text !== ''));
    assert.equal(openDescriptors(), before);
  });

  test('is kept when it cannot be reopened, and can be reopened later', async () => {
    fs.mkdirSync(inFolder('gone'));
    const file = path.join(inFolder('gone'), 'a.log');
    const before = openDescriptors();
    const destination = open(file);
    fs.renameSync(inFolder('gone'), inFolder('moved'));
    destination.reopen();
    assert.deepEqual(troubles, [{ output: file, droppedLines: 0, code: 'ENOENT' }]);
    destination.append('old\n');
    destination.flush();
    await until(() => fs.readFileSync(path.join(inFolder('moved'), 'a.log'), 'utf8') === 'old\n');
    fs.mkdirSync(inFolder('gone'));
    destination.reopen();
    destination.append('new\n');
    await destination.close();
    assert.equal(fs.readFileSync(file, 'utf8'), 'new\n');
    assert.equal(openDescriptors(), before);
  });

  test('that cannot be opened at all is an error with its code', () => {
    assert.throws(() => open(inFolder('no/such/folder.log')), { code: 'ENOENT' });
  });

  test('has all lines after flushNow', () => {
    const file = inFolder('now.log');
    const destination = open(file);
    destination.append('one\n');
    destination.append('two\n');
    destination.flushNow();
    assert.equal(fs.readFileSync(file, 'utf8'), 'one\ntwo\n');
  });

  test('accepts no line after close, and none larger than a chunk, and counts both', async () => {
    const file = inFolder('refused.log');
    const destination = open(file);
    destination.append(`${'x'.repeat(65_536)}\n`);
    destination.append(`${'x'.repeat(65_535)}\n`);
    await destination.close();
    destination.append('late\n');
    assert.equal(fs.statSync(file).size, 65_536);
    assert.equal(destination.droppedLines, 2);
    assert.equal(troubles[0]?.code, 'TOO_LONG');
  });
});

describe('a full disk', () => {
  test('loses lines, and reports their number once a minute', async () => {
    const destination = open('/dev/full');
    destination.append('a\n');
    destination.flush();
    assert.deepEqual(troubles, [{ output: '/dev/full', droppedLines: 1, code: 'ENOSPC' }]);
    for (let i = 0; i < 7; i++) {
      destination.append('b\nb\n');
      destination.flush();
    }
    clock.advance(59_999);
    assert.equal(troubles.length, 1);
    clock.advance(1);
    assert.deepEqual(troubles[1], { output: '/dev/full', droppedLines: 14, code: 'ENOSPC' });
    clock.advance(300_000);
    assert.equal(troubles.length, 2);
    destination.append('c\n');
    await destination.close();
    assert.equal(troubles.length, 3);
    assert.equal(destination.droppedLines, 16);
  });
});

describe('a pipe', () => {
  test('without a reader is refused at once', () => {
    makeFifo(inFolder('unread'));
    assert.throws(() => open(inFolder('unread')), { code: 'ENXIO' });
  });

  test('whose reader has gone loses lines, without another effect', async () => {
    const { name, reader } = makePipe('broken');
    const destination = open(name);
    fs.closeSync(reader);
    destination.append('lost\n');
    destination.flush();
    assert.deepEqual(troubles, [{ output: name, droppedLines: 1, code: 'EPIPE' }]);
    const next = openReader(name);
    destination.append('found\n');
    destination.flush();
    assert.equal(readPipe(next), 'found\n');
    await destination.close();
    fs.closeSync(next);
  });

  test('with a slow reader bounds memory: dropped lines are counted, written lines are whole and in order', async () => {
    const { name, reader } = makePipe('slow');
    const destination = open(name);
    const total = 80_000;
    for (let i = 0; i < total; i++) destination.append(`${i} ${'x'.repeat(90)}\n`);
    assert.ok(destination.droppedLines > 20_000);
    assert.equal(troubles[0]?.code, 'SLOW');
    let text = '';
    for (let idle = 0; idle < 3; ) {
      clock.advance(20);
      const more = readPipe(reader);
      idle = more === '' ? idle + 1 : 0;
      text += more;
    }
    const numbers = linesOf(text).map((line) => Number(/^(\d+) x{90}$/.exec(line)![1]));
    assert.equal(numbers.length + destination.droppedLines, total);
    assert.ok(numbers.every((number, i) => i === 0 || number > numbers[i - 1]!));
    assert.ok(text.length < 5 * 1024 * 1024);
    await destination.close();
    fs.closeSync(reader);
  });

  test('gets lines of several writers unmixed, however often it is full', async () => {
    const { name, reader } = makePipe('shared');
    const writers = ['a', 'b', 'c'].map((letter) => ({ letter, destination: open(name) }));
    for (let i = 0; i < 3000; i++) {
      for (const { letter, destination } of writers) destination.append(`${letter.repeat(100 + (i % 300))}\n`);
    }
    let text = '';
    for (let idle = 0; idle < 3; ) {
      for (const { destination } of writers) destination.flush();
      clock.advance(20);
      const more = readPipe(reader);
      idle = more === '' ? idle + 1 : 0;
      text += more;
    }
    const lines = linesOf(text);
    assert.equal(lines.length, 9000);
    for (const line of lines) assert.match(line, /^(?:a+|b+|c+)$/);
    for (const { destination } of writers) await destination.close();
    fs.closeSync(reader);
  });

  test('gets a line feed after an incomplete line', async () => {
    const { name, reader } = makePipe('torn');
    const destination = open(name);
    destination.append(`${'a'.repeat(60_000)}\n`);
    destination.append(`${'b'.repeat(60_000)}\n`);
    destination.flush();
    const first = readPipe(reader);
    assert.ok(first.endsWith('b'), 'the second line is under way');
    fs.closeSync(reader);
    clock.advance(20);
    assert.deepEqual(troubles, [{ output: name, droppedLines: 1, code: 'EPIPE' }]);
    const next = openReader(name);
    for (const line of ['next\n', 'last\n']) {
      destination.append(line);
      destination.flush();
    }
    assert.equal(readPipe(next), '\nnext\nlast\n');
    await destination.close();
    fs.closeSync(next);
  });

  test('that accepts nothing delays close by at most a second', async () => {
    const { name, reader } = makePipe('stuck');
    const destination = open(name);
    for (let i = 0; i < 100; i++) destination.append(`${'x'.repeat(999)}\n`);
    const closing = destination.close();
    await nextTurn();
    clock.advance(1000);
    await closing;
    const written = Math.floor(readPipe(reader).length / 1000);
    assert.equal(written + destination.droppedLines, 100);
    assert.ok(destination.droppedLines > 0);
    fs.closeSync(reader);
  });
});

describe('standard output', () => {
  const source = new URL('../../../../logging/destination/log-destination.ts', import.meta.url).href;
  const script = `
    import { LogDestination } from '${source}';
    import { systemTimers } from '${new URL('../../../../core/timers.ts', import.meta.url).href}';
    const destination = new LogDestination({ output: 'stdout', timers: systemTimers, onTrouble: console.error });
    for (let i = 0; i < 3000; i++) destination.append('line ' + i + '\\n');
    destination.reopen();
    if (process.argv[1] === 'close') await destination.close(); else destination.flushNow();
    process.exit(0);`;
  const expected = Array.from({ length: 3000 }, (_, i) => `line ${i}\n`).join('');

  function run(how: string, shell: string): string {
    const argv = ['-c', shell, process.execPath, '--input-type=module', '-e', script, how];
    const { stdout, stderr, status } = spawnSync('/bin/sh', argv, { encoding: 'utf8' });
    assert.equal(stderr, '');
    assert.equal(status, 0);
    return stdout;
  }

  for (const how of ['close', 'now']) {
    test(`as a socket has all lines (${how})`, () => {
      assert.equal(run(how, 'exec "$0" "$@"'), expected);
    });

    test(`as a pipe has all lines (${how})`, () => {
      assert.equal(run(how, '"$0" "$@" | cat'), expected);
    });

    test(`as a file has all lines after its earlier content (${how})`, () => {
      const file = inFolder(`stdout-${how}.log`);
      assert.equal(run(how, `(echo before; "$0" "$@") > ${file}; cat ${file}`), `before\n${expected}`);
    });
  }

  test('that is closed loses lines, and the process goes on', () => {
    assert.equal(run('close', '"$0" "$@" >&-; echo lived'), 'lived\n');
  });
});
