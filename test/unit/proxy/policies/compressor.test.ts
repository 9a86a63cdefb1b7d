// Compressor: one call for bodies that end soon, flushes when the endpoint pauses, back-pressure, cancellation. Thread: both.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import zlib from 'node:zlib';
import type { BodySink } from '../../../../core/policy/policy.ts';
import { TimerWheel, wheelTimers } from '../../../../core/timer-wheel.ts';
import type { Coding } from '../../../../proxy/policies/accept-encoding.ts';
import { CODINGS } from '../../../../proxy/policies/accept-encoding.ts';
import { Compressor } from '../../../../proxy/policies/compressor.ts';
import { turnWithTime } from '../../../support/turn-with-time.ts';

/** Decompresses what the compressor passes on, as a client does, on a clock that the test advances. */
class Bench implements BodySink {
  readonly compressor: Compressor;
  readonly output: Buffer[] = [];
  readonly calls: string[] = [];
  hasRoom = true;
  nowMs = 0;
  opened = 1;
  readonly #wheel = new TimerWheel(5, 0);
  readonly #waiting = new Set<() => void>();

  constructor(coding: Coding, bodyBytes = -1) {
    const clock = { nowMs: () => this.nowMs, wallMs: () => this.nowMs };
    const closed = () => this.opened--;
    const context = { timers: wheelTimers(this.#wheel, clock), closed };
    this.compressor = new Compressor(this, coding, 'balanced', bodyBytes, context);
  }

  advance(ms: number): void {
    this.nowMs += ms;
    this.#wheel.advance(this.nowMs);
  }

  data(chunk: Uint8Array): boolean {
    this.output.push(Buffer.from(chunk));
    this.#note('data');
    return this.hasRoom;
  }
  ready(): void {
    this.#note('ready');
  }
  end(): void {
    this.#note('end');
  }
  fail(): void {
    this.#note('fail');
  }
  cut(reason: string): void {
    this.calls.push(`cut ${reason}`);
  }

  #note(call: string): void {
    this.calls.push(call);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  /** Waits until a client can read `text`. */
  async untilReadable(coding: Coding, text: string): Promise<void> {
    for (let seen = 0; !(await this.readable(coding)).includes(text); seen = this.output.length) {
      const before = seen;
      await this.until(() => this.output.length > before);
    }
  }

  /** Text that a client can read by now, of a stream that may be incomplete. */
  async readable(coding: Coding): Promise<string> {
    const decoder =
      coding === 'gzip'
        ? zlib.createGunzip()
        : coding === 'br'
          ? zlib.createBrotliDecompress()
          : zlib.createZstdDecompress();
    const texts: Buffer[] = [];
    decoder.on('data', (text: Buffer) => texts.push(text));
    await new Promise((resolve) => decoder.write(Buffer.concat(this.output), resolve));
    decoder.destroy();
    return Buffer.concat(texts).toString();
  }
}

for (const coding of CODINGS) {
  describe(`a ${coding} compressor`, () => {
    test('compresses a body that ends soon in one call', async () => {
      await turnWithTime();
      const bench = new Bench(coding);
      assert.ok(bench.compressor.write(Buffer.from('hello ')));
      bench.compressor.write(Buffer.from('world'));
      bench.compressor.end();
      assert.deepEqual([bench.calls, bench.opened], [['data', 'end'], 0]);
    });

    test('compresses a burst of bodies in several turns of the event loop, but none that is cancelled', async () => {
      await turnWithTime();
      const benches = Array.from({ length: 12 }, () => new Bench(coding));
      const body = randomBytes(32_768).toString('hex');
      for (const { compressor } of benches) {
        compressor.write(Buffer.from(body));
        compressor.end();
      }
      const waiting = benches.filter(({ opened }) => opened === 1);
      assert.ok(waiting.length > 0 && waiting.length < 12, `${waiting.length} of 12 wait`);
      const cancelled = waiting.at(-1)!;
      cancelled.compressor.cancel();
      const others = benches.filter((bench) => bench !== cancelled);
      await Promise.all(others.map((bench) => bench.until(() => bench.calls.includes('end'))));
      assert.deepEqual([cancelled.calls, cancelled.opened], [[], 0]);
      assert.equal(await waiting[0]!.readable(coding), body);
    });

    test('flushes what it holds when the endpoint pauses, again and again', async () => {
      const bench = new Bench(coding);
      for (const word of ['one,', 'two,', 'three,']) {
        const before = bench.output.length;
        bench.compressor.write(Buffer.from(word));
        bench.advance(5);
        assert.equal(bench.output.length, before, 'not before the pause');
        bench.advance(5);
        await bench.untilReadable(coding, word);
      }
      assert.equal(await bench.readable(coding), 'one,two,three,');
      bench.compressor.end();
      await bench.until(() => bench.calls.includes('end'));
      assert.equal(bench.opened, 0);
    });

    test('flushes at last while the endpoint goes on sending', async () => {
      const bench = new Bench(coding);
      for (let at = 0; at < 12; at++) {
        bench.compressor.write(Buffer.from('word '));
        bench.advance(5);
      }
      await bench.untilReadable(coding, 'word '.repeat(9));
      bench.compressor.cancel();
    });

    test('holds back its input while the client takes nothing', async () => {
      const bench = new Bench(coding, 1e9);
      bench.hasRoom = false;
      let written = 0;
      while (written < 8e6 && (bench.compressor.write(randomBytes(65_536)) || (await settled(bench))))
        written += 65_536;
      assert.ok(written < 8e6, `${written} bytes were taken`);
      bench.hasRoom = true;
      const before = bench.calls.length;
      bench.compressor.resume();
      await bench.until(() => bench.calls.slice(before).includes('ready'));
      bench.compressor.cancel();
    });

    test('ends silently when it is cancelled', async () => {
      const bench = new Bench(coding, 1e9);
      bench.compressor.write(Buffer.alloc(200_000, 'x'));
      bench.compressor.cancel();
      bench.compressor.cancel();
      const calls = bench.calls.length;
      bench.advance(1000);
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.deepEqual([bench.calls.length, bench.opened], [calls, 0]);
    });
  });
}

/** Lets zlib work until it is idle. Returns whether it takes input again. */
async function settled(bench: Bench): Promise<boolean> {
  const before = bench.calls.filter((call) => call === 'ready').length;
  for (let turn = 0; turn < 30; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (bench.calls.filter((call) => call === 'ready').length > before) return true;
  }
  return false;
}
