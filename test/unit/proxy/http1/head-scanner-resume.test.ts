// Heads in pieces: same result, early faults, bounded work. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeadScanner, Scan } from '../../../../proxy/http1/head-scanner.ts';
import { MessageHead } from '../../../../proxy/http1/message-head.ts';
import { outcomeOf } from '../../../support/http1-scan.ts';

/** Counts scans: each one reads all bytes from the start. */
class CountingHead extends MessageHead {
  scans = 0;
  override reset(): void {
    this.scans += 1;
    super.reset();
  }
}

interface Dribbled {
  readonly outcome: string;
  /** Bytes received when the outcome was certain. */
  readonly bytes: number;
  readonly head: CountingHead;
}

/** Gives the scanner a growing number of bytes until there is a result. */
function dribble(text: string, step = 1): Dribbled {
  const scanner = new HeadScanner();
  const head = new CountingHead();
  const bytes = Buffer.from(text, 'latin1');
  let seen = 0;
  for (let end = step; end < bytes.length + step; end += step) {
    const reached = Math.min(end, bytes.length);
    const result = scanner.scanRequest(head, bytes, 0, reached, seen);
    if (result !== Scan.INCOMPLETE) return { outcome: outcomeOf(result), bytes: reached, head };
    seen = reached;
  }
  return { outcome: 'incomplete', bytes: bytes.length, head };
}

describe('a head in pieces', () => {
  test('is complete with its last byte, not before', () => {
    const text = 'GET /a HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\r\n';
    for (const step of [1, 2, 3, 7, text.length - 1]) {
      const { outcome, bytes, head } = dribble(text, step);
      assert.equal(outcome, 'complete');
      assert.equal(bytes, text.length);
      assert.deepEqual(head.fieldList(0), ['Host', 'a', 'X-A', 'b']);
    }
  });

  test('may begin with an empty line', () => {
    assert.equal(dribble('\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n').outcome, 'complete');
  });

  const early: readonly (readonly [what: string, good: string, bad: string, error: string])[] = [
    ['a bare LF', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(50)}`, '\n', 'bare-lf'],
    ['a bare CR', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(50)}\r`, 'Y', 'bare-cr'],
    ['NUL', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(50)}`, '\0', 'bad-value'],
    ['a bad request line', `GET /${'a'.repeat(100)} HTTP/2.7\r`, '\n', 'version-not-supported'],
    ['a TLS hello', '', '\x16', 'bad-method'],
  ];
  for (const [what, good, bad, error] of early) {
    test(`is refused with the very byte of ${what}`, () => {
      const { outcome, bytes } = dribble(`${good}${bad}more\r\n`);
      assert.equal(outcome, error);
      assert.equal(bytes, good.length + 1);
    });
  }

  test('is refused for any other fault before it has doubled in size', () => {
    const good = `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(500)}\r\n`;
    const { outcome, bytes } = dribble(`${good}X A: b\r\n${'Y: z\r\n'.repeat(150)}`);
    assert.equal(outcome, 'space-after-name');
    assert.ok(bytes <= 2 * good.length, String(bytes));
  });

  test('is refused at the limits, exactly', () => {
    assert.deepEqual(pick(dribble(`GET /${'a'.repeat(20_000)}`)), ['target-too-long', 16_384]);
    assert.deepEqual(pick(dribble(`GET / HTTP/1.1\r\nX: ${'a'.repeat(40_000)}`)), ['head-too-large', 32_768]);
  });

  test('costs few scans when one long line comes byte by byte', () => {
    const { head } = dribble(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(30_000)}\r\n\r\n`);
    assert.ok(head.scans <= 20, String(head.scans));
  });

  test('costs few scans when many lines come byte by byte', () => {
    const { outcome, head } = dribble(`GET / HTTP/1.1\r\nHost: a\r\n${`X: ${'x'.repeat(150)}\r\n`.repeat(190)}\r\n`);
    assert.equal(outcome, 'complete');
    assert.ok(head.scans <= 20, String(head.scans));
  });

  test('is not missed when a stale number of seen bytes is given', () => {
    const bytes = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'latin1');
    for (const seen of [bytes.length, bytes.length + 1, 10_000]) {
      const result = new HeadScanner().scanRequest(new MessageHead(), bytes, 0, bytes.length, seen);
      assert.equal(result, Scan.COMPLETE);
    }
  });

  test('is scanned once when it comes whole', () => {
    const text = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    assert.equal(dribble(text, text.length).head.scans, 1);
  });
});

function pick(dribbled: Dribbled): [string, number] {
  return [dribbled.outcome, dribbled.bytes];
}
