// Requests whose field blocks repeat share cached lines: each is sent as if it were the only one of its connection.
// Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AttemptRequest } from '../../../../core/exchange-contract.ts';
import { TrustedOnlyFields } from '../../../../proxy/downstream/trusted-only-fields.ts';
import { HpackEncoder } from '../../../../proxy/http2/hpack-encoder.ts';
import { RequestReader, type RequestRules } from '../../../../proxy/http2/request-reader.ts';
import { RequestEncoder } from '../../../../proxy/upstream/request-encoder.ts';
import { ScannedRequestHead } from '../../../../proxy/wire/scanned-request-head.ts';

const RULES: RequestRules = {
  listBytes: 16_384,
  fields: 100,
  underscores: 'drop',
  pathBytes: 8192,
  enablesConnectProtocol: true,
};
const CUTTER = new TrustedOnlyFields(['true-client-ip', 'x-private-*']);

interface Case {
  readonly authority: string;
  readonly path: string;
  readonly fields: readonly string[];
  readonly hostField: string | null;
  readonly inserted: readonly string[];
  readonly removed: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();
const REMOVED: ReadonlySet<string> = new Set(['accept', 'x-a']);
const CASE: fc.Arbitrary<Case> = fc.record({
  authority: fc.constantFrom('a.test', 'b.test', 'a.test:8443'),
  path: fc.constantFrom('/', '/a?b=c'),
  fields: fc.constantFrom(
    ['accept', '*/*', 'x-a', '1'],
    ['accept', '*/*', 'x-a', '2'],
    ['accept', 'text', 'true-client-ip', '192.0.2.1', 'x-private-key', 'k'],
    ['cookie', 'a=1', 'cookie', 'b=2'],
    [],
  ),
  hostField: fc.constantFrom(null, 'endpoint.test'),
  inserted: fc.constantFrom(['x-request-id', '1'], ['x-forwarded-for', '192.0.2.9', 'x-request-id', '2'], ['x-a', '9']),
  removed: fc.constantFrom(NONE, REMOVED),
});

/** A connection, as both of its ends see it. Blocks repeat as soon as the encoder's table has the fields. */
class Connection {
  /** Of requests whose fields were known already. */
  repeatedCount = 0;
  readonly #reader = new RequestReader(4096, RULES, CUTTER);
  readonly #encoder = new HpackEncoder(4096);

  begin(one: Case): ScannedRequestHead {
    const head = new ScannedRequestHead();
    const pseudo = [':method', 'GET', ':scheme', 'https', ':path', one.path, ':authority', one.authority];
    const block = this.#encoder.encode([...pseudo, ...one.fields]);
    assert.equal(this.#reader.read(block, 0, block.length, true, head.message, head.framing), null);
    if (this.#reader.sentLines !== null) this.repeatedCount += 1;
    head.beginOf(this.#reader);
    return head;
  }
}

const encoder = new RequestEncoder();

function sent(head: ScannedRequestHead, one: Case): string | null {
  const hostField = one.hostField ?? one.authority;
  const parts = { head, hostField, insertedFields: one.inserted, removedFields: one.removed };
  return encoder.encode(parts as unknown as AttemptRequest);
}

test('requests of one connection are sent as those of a connection each, again when they are retried', () => {
  let repeatedCount = 0;
  fc.assert(
    fc.property(fc.array(CASE, { minLength: 8, maxLength: 40 }), (cases) => {
      const connection = new Connection();
      const heads = cases.map((one) => ({ one, head: connection.begin(one) }));
      repeatedCount += connection.repeatedCount;
      const alone = cases.map((one) => sent(new Connection().begin(one), one));
      for (const attempt of [1, 2]) {
        const together = heads.map(({ one, head }) => sent(head, one));
        assert.deepEqual(together, alone, `attempt ${attempt}`);
      }
      for (const text of alone) assert.doesNotMatch(text ?? '', /true-client-ip|x-private/);
    }),
    { numRuns: 300 },
  );
  assert.ok(repeatedCount > 100, `only ${repeatedCount} requests repeated the fields of another`);
});

test('the head is the same as text and as parts', () => {
  fc.assert(
    fc.property(fc.array(CASE, { minLength: 1, maxLength: 8 }), (cases) => {
      const connection = new Connection();
      for (const one of cases) {
        const head = connection.begin(one);
        const { message } = head;
        assert.equal(head.firstLine, message.text.slice(0, message.fieldsStart));
        assert.equal(head.target, message.targetText);
        assert.equal(head.authority, message.hostText);
        assert.equal(head.authority, one.authority);
        assert.equal(message.bodyStart, message.text.length);
        assert.equal(message.text.slice(message.lineStart(message.fieldCount)), '\r\n');
      }
    }),
  );
});
