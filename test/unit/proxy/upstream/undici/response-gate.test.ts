import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomBelow, seededRandom } from '../../../../../core/random.ts';
import {
  MAX_INTERIM_RESPONSES,
  methodNumber,
  ResponseGate,
  responseScanner,
  type GateSink,
} from '../../../../../proxy/upstream/undici/response-gate.ts';

/** What the gate let through, as text. */
class Heard implements GateSink {
  readonly events: string[] = [];
  /** What undici would get. */
  passed = '';
  gate!: ResponseGate;
  shutsAt = '';

  onInterim(head: { status: number }): void {
    this.#note(`interim ${head.status}`);
  }
  onFinalHead(head: { status: number; bodyLength: number }, plain: string): void {
    this.passed += plain;
    this.#note(`head ${head.status} ${head.bodyLength}`);
  }
  onBody(bytes: Buffer): void {
    this.passed += bytes.toString('latin1');
    if (!this.events.at(-1)!.startsWith('body')) this.#note('body');
  }
  onComplete(trailers: readonly string[] | null): void {
    this.#note(`complete${trailers === null ? '' : ` ${trailers.join('=')}`}`);
  }
  onFault(kind: string, reason: string): void {
    this.#note(`${kind}: ${reason}`);
  }
  onExtraBytes(): void {
    this.#note('extra');
  }

  #note(event: string): void {
    this.events.push(event);
    if (event === this.shutsAt) this.gate.shut();
  }
}

function gateFor(method = 'GET', headBytes = 4096): { gate: ResponseGate; heard: Heard } {
  const heard = new Heard();
  const gate = new ResponseGate(responseScanner(headBytes), heard);
  heard.gate = gate;
  gate.begin(methodNumber(method));
  return { gate, heard };
}

/** Feeds text in pieces that end at the given offsets. */
function feed(gate: ResponseGate, text: string, cuts: readonly number[] = []): void {
  let from = 0;
  for (const cut of [...cuts, text.length]) {
    gate.feed(Buffer.from(text.slice(from, cut), 'latin1'));
    from = cut;
  }
}

const OK = 'HTTP/1.1 200 OK\r\n';

const STREAMS: readonly (readonly [name: string, wire: string, events: readonly string[], passed: string])[] = [
  [
    'a length',
    `${OK}Server: x\r\nContent-Length: 5\r\n\r\nhello`,
    ['head 200 5', 'body', 'complete'],
    'HTTP/1.1 200 -\r\ncontent-length: 5\r\nconnection: keep-alive\r\n\r\nhello',
  ],
  [
    'chunks: extensions and trailers stay behind',
    `${OK}Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n00\r\nX-T: 1\r\n\r\n`,
    ['head 200 -1', 'body', 'complete X-T=1'],
    'HTTP/1.1 200 -\r\ntransfer-encoding: chunked\r\nconnection: keep-alive\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  ],
  [
    'interim responses: they stay behind',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No\r\n\r\n`,
    ['interim 100', 'interim 103', 'head 204 0', 'complete'],
    'HTTP/1.1 204 -\r\nconnection: keep-alive\r\n\r\n',
  ],
  [
    'bytes behind the end: they stay behind',
    `${OK}Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n`,
    ['head 200 2', 'body', 'complete', 'extra'],
    'HTTP/1.1 200 -\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nok',
  ],
  [
    'the end of the connection',
    `HTTP/1.0 200 OK\r\n\r\nhello`,
    ['head 200 -1', 'body'],
    'HTTP/1.1 200 -\r\nconnection: close\r\n\r\nhello',
  ],
];

describe('what passes does not depend on how the bytes come', () => {
  for (const [name, wire, events, passed] of STREAMS) {
    test(name, () => {
      for (let cut = 0; cut < wire.length; cut += 1) checkStream(wire, [cut], events, passed);
      checkStream(
        wire,
        Array.from({ length: wire.length }, (_, at) => at),
        events,
        passed,
      );
      const random = seededRandom(11);
      for (let round = 0; round < 200; round += 1) {
        const cuts = Array.from({ length: 6 }, () => randomBelow(random, wire.length)).sort((a, b) => a - b);
        checkStream(wire, cuts, events, passed);
      }
    });
  }
});

function checkStream(wire: string, cuts: readonly number[], events: readonly string[], passed: string): void {
  const { gate, heard } = gateFor();
  feed(gate, wire, cuts);
  // Extra bytes in several pieces are told several times.
  const told = heard.events.filter((event, at) => event !== 'extra' || heard.events[at - 1] !== 'extra');
  assert.deepEqual(told, events, `cut at ${cuts.join()}`);
  assert.equal(heard.passed.replace(/\r\n0+\r\n\r\n$/, '\r\n0\r\n\r\n'), passed, `cut at ${cuts.join()}`);
}

describe('persistence, as undici is told', () => {
  for (const [fields, wanted] of [
    ['', 'keep-alive'],
    ['Keep-Alive: timeout=7, max=3\r\n', 'keep-alive\r\nkeep-alive: timeout=7'],
    ['Keep-Alive: max=3\r\n', 'keep-alive'],
    ['Connection: close\r\n', 'close'],
    ['Connection: x, CLOSE\r\nKeep-Alive: timeout=7\r\n', 'close'],
  ] as const) {
    test(JSON.stringify(fields), () => {
      const { gate, heard } = gateFor();
      feed(gate, `${OK}${fields}Content-Length: 0\r\n\r\n`);
      assert.match(heard.passed, new RegExp(`\r\nconnection: ${wanted}\r\n\r\n$`));
    });
  }

  for (const [status, fields, wanted] of [
    [204, 'Content-Length: 0\r\n', 'keep-alive'],
    [204, 'Content-Length: 5\r\n', 'close'],
    [304, 'Content-Length: 5\r\n', 'close'],
    [304, 'Transfer-Encoding: chunked\r\n', 'close'],
    [304, '', 'keep-alive'],
  ] as const) {
    test(`${status} ${fields.trim()}: a body may follow that nobody must read as a response`, () => {
      const { gate, heard } = gateFor();
      feed(gate, `HTTP/1.1 ${status} X\r\n${fields}\r\n`);
      assert.match(heard.passed, new RegExp(`connection: ${wanted}\r\n`));
      assert.doesNotMatch(heard.passed, /content-length|transfer-encoding/);
      assert.equal(heard.events.at(-1), 'complete');
    });
  }
});

describe('faults', () => {
  test('a head of as many bytes as allowed passes, one more does not', () => {
    const head = (size: number): string => `${OK}X: ${'x'.repeat(size - OK.length - 7)}\r\n\r\n`;
    for (const [size, wanted] of [
      [256, 'head 200 -1'],
      [257, 'head-too-large: head-too-large'],
    ] as const) {
      for (const cuts of [[], [100], Array.from({ length: size }, (_, at) => at)]) {
        const { gate, heard } = gateFor('GET', 256);
        feed(gate, head(size), cuts);
        assert.equal(heard.events[0], wanted, `${size} bytes`);
      }
    }
  });

  test('an endless head is refused when it reaches the limit, not later', () => {
    const { gate, heard } = gateFor('GET', 4096);
    let fed = 0;
    for (; heard.events.length === 0; fed += 64) gate.feed(Buffer.alloc(64, `${OK}X: x`.slice(0, 1)));
    assert.ok(fed <= 4096 + 64);
  });

  test('interim responses are counted', () => {
    const { gate, heard } = gateFor();
    feed(gate, 'HTTP/1.1 103 E\r\n\r\n'.repeat(MAX_INTERIM_RESPONSES + 1));
    assert.equal(heard.events.length, MAX_INTERIM_RESPONSES + 1);
    assert.equal(heard.events.at(-1), 'malformed-response: too many interim responses');
  });

  test('a fault in a body that came with its head leaves nothing to undici that could pass for whole', () => {
    const { gate, heard } = gateFor();
    feed(gate, `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\nx\r\n`);
    assert.equal(heard.events.at(-1), 'malformed-response: bad-chunk-size');
    assert.equal(heard.passed.includes('0\r\n\r\n'), false);
  });

  for (const event of ['interim 103', 'head 200 2', 'body', 'complete']) {
    test(`shut inside ${event}, the gate is silent`, () => {
      const { gate, heard } = gateFor();
      heard.shutsAt = event;
      feed(gate, `HTTP/1.1 103 E\r\n\r\n${OK}Content-Length: 2\r\n\r\nok and more`);
      assert.equal(heard.events.at(-1), event);
      feed(gate, 'even more');
      gate.begin(methodNumber('GET'));
      feed(gate, `${OK}\r\n`);
      assert.equal(heard.events.at(-1), event);
    });
  }

  test('a connection serves one response after the other', () => {
    const { gate, heard } = gateFor('HEAD');
    feed(gate, `${OK}Content-Length: 5\r\n\r\n`);
    assert.equal(gate.isIdle, true);
    gate.begin(methodNumber('GET'));
    assert.equal(gate.isIdle, false);
    feed(gate, `${OK}\r\n`);
    assert.equal(gate.endsWithConnection, true);
    assert.deepEqual(heard.events, ['head 200 5', 'complete', 'head 200 -1']);
  });
});

test('methods have numbers; those without one are all alike', () => {
  assert.notEqual(methodNumber('HEAD'), methodNumber('GET'));
  assert.equal(methodNumber('PROPFIND'), methodNumber('MKCOL'));
  assert.equal(methodNumber(''), methodNumber('MKCOL'));
});
