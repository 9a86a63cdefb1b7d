// Responses read from an endpoint's bytes: every split, faults with their causes, shutting. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomBelow, seededRandom } from '../../../../core/random.ts';
import {
  MAX_INTERIM_RESPONSES,
  methodNumber,
  ResponseReader,
  responseScanner,
  type ResponseSink,
} from '../../../../proxy/upstream/response-reader.ts';

/** Records a reader's events as text. */
class Recorder implements ResponseSink {
  readonly events: string[] = [];
  body = '';
  reader!: ResponseReader;
  shutsAt = '';

  onInterimHead(): void {
    this.#note(`interim ${this.reader.head.status}`);
  }
  onFinalHead(): void {
    this.#note(`head ${this.reader.head.status} ${this.reader.head.bodyLength}`);
  }
  onBody(bytes: Buffer, start: number, end: number): boolean {
    this.body += bytes.toString('latin1', start, end);
    if (!this.events.at(-1)!.startsWith('body')) this.#note('body');
    return true;
  }
  onComplete(trailers: readonly string[] | null, hasMore: boolean): void {
    this.#note(`complete${trailers === null ? '' : ` ${trailers.join('=')}`}`);
    if (hasMore) this.#note('extra');
  }
  onFault(kind: string, reason: string): void {
    this.#note(`${kind}: ${reason}`);
  }
  onExtraBytes(): void {
    if (this.events.at(-1) !== 'extra') this.#note('extra');
  }

  #note(event: string): void {
    this.events.push(event);
    if (event === this.shutsAt) this.reader.shut();
  }
}

function readerFor(method = 'GET', headBytes = 4096): { reader: ResponseReader; seen: Recorder } {
  const seen = new Recorder();
  const reader = new ResponseReader(responseScanner(headBytes), seen);
  seen.reader = reader;
  reader.expect(methodNumber(method));
  return { reader, seen };
}

/** Feeds text in pieces that end at the given offsets. */
function feed(reader: ResponseReader, text: string, cuts: readonly number[] = []): void {
  let from = 0;
  for (const cut of [...cuts, text.length]) {
    const bytes = Buffer.from(text.slice(from, cut), 'latin1');
    reader.feed(bytes, 0, bytes.length);
    // Bytes are valid during the call only.
    bytes.fill(0);
    from = cut;
  }
}

const OK = 'HTTP/1.1 200 OK\r\n';

const STREAMS: readonly (readonly [name: string, wire: string, events: readonly string[], body: string])[] = [
  [
    'a body of known length',
    `${OK}Server: x\r\nContent-Length: 5\r\n\r\nhello`,
    ['head 200 5', 'body', 'complete'],
    'hello',
  ],
  [
    'chunks with extensions and trailers',
    `${OK}Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n00\r\nX-T: 1\r\n\r\n`,
    ['head 200 -1', 'body', 'complete X-T=1'],
    'hello',
  ],
  [
    'interim responses before the final one',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No\r\n\r\n`,
    ['interim 100', 'interim 103', 'head 204 0', 'complete'],
    '',
  ],
  [
    'extra bytes after the end',
    `${OK}Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n`,
    ['head 200 2', 'body', 'complete', 'extra'],
    'ok',
  ],
  ['a close-delimited body', `HTTP/1.0 200 OK\r\n\r\nhello`, ['head 200 -1', 'body'], 'hello'],
];

describe('every split of the bytes gives the same events', () => {
  for (const [name, wire, events, body] of STREAMS) {
    test(name, () => {
      const checkCuts = (cuts: readonly number[]): void => {
        const { reader, seen } = readerFor();
        feed(reader, wire, cuts);
        assert.deepEqual([seen.events, seen.body], [events, body], `cut at ${cuts.join()}`);
      };
      for (let cut = 0; cut < wire.length; cut += 1) checkCuts([cut]);
      checkCuts(Array.from({ length: wire.length }, (_, at) => at));
      const random = seededRandom(11);
      for (let round = 0; round < 200; round += 1) {
        checkCuts(Array.from({ length: 6 }, () => randomBelow(random, wire.length)).sort((a, b) => a - b));
      }
    });
  }
});

const FAULTS: readonly (readonly [wire: string, event: string])[] = [
  [`${OK}X-Good: 1\r\nX-Bad: a\0b\r\nX-Later: 1\r\n\r\n`, 'malformed-response: bad-value in field X-Bad'],
  [`${OK}X-Good: 1\r\nX-Bad : 1\r\n\r\n`, 'malformed-response: space-after-name in field X-Bad'],
  [`${OK}X-Good: 1\r\nX-Bad: 1\nX-Later: 1\r\n\r\n`, 'malformed-response: bare-lf in field X-Bad'],
  [`${OK}X-Good: 1\r\nno colon\r\n\r\n`, 'malformed-response: space-after-name'],
  [
    `${OK}Content-Length: 1\r\nContent-Length: 1\r\n\r\n`,
    'malformed-response: repeated-content-length in field Content-Length',
  ],
  [`${OK}Content-Length: x\r\n\r\n`, 'malformed-response: bad-content-length in field Content-Length'],
  [`${OK}Transfer-Encoding: gzip\r\n\r\n`, 'malformed-response: unknown-transfer-coding in field Transfer-Encoding'],
  [`${OK}Connection: host\r\n\r\n`, 'malformed-response: forbidden-nomination in field Connection'],
  [`${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\nx\r\n`, 'malformed-response: bad-chunk-size in the chunked body'],
  ['HTTP/1.1 999 X\r\n\r\n', 'malformed-response: bad-status-code'],
  ['SSH-2.0-OpenSSH\r\n', 'malformed-response: bad-status-line'],
  ['HTTP/2 200\r\n\r\n', 'malformed-response: bad-version: the endpoint speaks HTTP/2 only'],
  [
    '\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\0\x01\0\0\0\x05\0\0\x40\0',
    'malformed-response: bad-status-line: the endpoint speaks HTTP/2 only',
  ],
  [
    '\x15\x03\x01\0\x02\x02\x46',
    'malformed-response: bad-status-line: the endpoint speaks TLS on this port (use https:// in its URL)',
  ],
];

describe('a fault', () => {
  for (const [wire, event] of FAULTS) {
    test(`is reported with its rule and field: ${event}`, () => {
      for (const cuts of [[], Array.from({ length: wire.length }, (_, at) => at)]) {
        const { reader, seen } = readerFor();
        feed(reader, wire, cuts);
        // A first line is judged at its first wrong byte: too early to recognise another protocol byte by byte.
        if (cuts.length > 0 && event.includes('speaks')) continue;
        assert.equal(seen.events.at(-1), event);
      }
    });
  }

  test('names the largest field of a head that is too large', () => {
    const { reader, seen } = readerFor('GET', 1024);
    feed(reader, `${OK}X-Small: 1\r\nX-Token: ${'x'.repeat(2000)}\r\n\r\n`);
    assert.deepEqual(seen.events, ['head-too-large: head-too-large: the largest field is X-Token']);
  });

  test('a head of exactly the limit is accepted, one byte more is not', () => {
    const head = (size: number): string => `${OK}X: ${'x'.repeat(size - OK.length - 7)}\r\n\r\n`;
    for (const [size, wanted] of [
      [256, /^head 200 -1$/],
      [257, /^head-too-large: /],
    ] as const) {
      for (const cuts of [[], [100], Array.from({ length: size }, (_, at) => at)]) {
        const { reader, seen } = readerFor('GET', 256);
        feed(reader, head(size), cuts);
        assert.match(seen.events[0]!, wanted, `${size} bytes`);
      }
    }
  });

  test('an endless head is refused as soon as it reaches the limit', () => {
    const { reader, seen } = readerFor('GET', 4096);
    let fed = 0;
    for (; seen.events.length === 0; fed += 64) reader.feed(Buffer.alloc(64, OK.slice(0, 1)), 0, 64);
    assert.ok(fed <= 4096 + 64);
  });

  test('too many interim responses', () => {
    const { reader, seen } = readerFor();
    feed(reader, 'HTTP/1.1 103 E\r\n\r\n'.repeat(MAX_INTERIM_RESPONSES + 1));
    assert.equal(seen.events.length, MAX_INTERIM_RESPONSES + 1);
    assert.equal(seen.events.at(-1), 'malformed-response: too many interim responses');
  });
});

for (const event of ['interim 103', 'head 200 2', 'body', 'complete']) {
  test(`a reader that is shut inside ${event} emits nothing more`, () => {
    const { reader, seen } = readerFor();
    seen.shutsAt = event;
    feed(reader, `HTTP/1.1 103 E\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`);
    assert.equal(seen.events.at(-1), event);
    feed(reader, 'even more');
    reader.expect(methodNumber('GET'));
    feed(reader, `${OK}\r\n`);
    assert.equal(seen.events.at(-1), event);
  });
}

test('a connection serves one response after the other', () => {
  const { reader, seen } = readerFor('HEAD');
  feed(reader, `${OK}Content-Length: 5\r\n\r\n`);
  assert.equal(reader.isIdle, true);
  reader.expect(methodNumber('GET'));
  assert.equal(reader.isIdle, false);
  feed(reader, `${OK}\r\n`);
  assert.equal(reader.finish(), true);
  assert.deepEqual(seen.events, ['head 200 5', 'complete', 'head 200 -1', 'complete']);
});

test('methods without a number of their own share one', () => {
  assert.notEqual(methodNumber('HEAD'), methodNumber('GET'));
  assert.equal(methodNumber('PROPFIND'), methodNumber('MKCOL'));
  assert.equal(methodNumber(''), methodNumber('MKCOL'));
});
