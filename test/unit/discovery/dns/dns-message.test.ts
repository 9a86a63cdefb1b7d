// The codec of DNS messages: what it reads, and that hostile bytes are refused in bounded time. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../../../core/random.ts';
import { decodeResponse, encodeQuery } from '../../../../discovery/dns/dns-message.ts';
import { responseBytes } from '../../../support/dns-server.ts';

const HEADER = [0, 7, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
const QUESTION = [1, 0x61, 0, 0, 1, 0, 1];
const NAME_AT = 12;

/** A response to `a A` with one record, whose bytes are given. */
function withRecord(...record: readonly number[]): Uint8Array {
  return Uint8Array.from([...HEADER, ...QUESTION, ...record]);
}

describe('a query', () => {
  test('has one question, asks for recursion and announces its UDP size', () => {
    const bytes = Buffer.from(encodeQuery(0xbeef, 'api.test', 'SRV')!);
    assert.equal(bytes.toString('hex'), 'beef01000001000000000001036170690474657374000021000100002904d0000000000000');
  });

  test('has no form for names that are empty or too long', () => {
    for (const name of ['', 'a..b', '.a', `${'x'.repeat(64)}.test`, `${'a.'.repeat(130)}b`, 'a b']) {
      assert.equal(encodeQuery(1, name, 'A'), null, name);
    }
  });
});

describe('a response', () => {
  test('has records with the data of their types', () => {
    const bytes = responseBytes(7, 'api.test', 'SRV', {
      answers: ['api.test 60 CNAME other.test', 'other.test 30 SRV 1 20 3000 host.test'],
      authority: ['test 9 SOA 1 2 3 4 5'],
      additional: ['host.test 5 A 10.0.0.1', 'host.test 6 AAAA 2001:db8::1', 'host.test 1 TXT hello'],
    });
    const response = decodeResponse(bytes)!;
    assert.deepEqual(response.question, { name: 'api.test', type: 33 });
    assert.deepEqual(response.answers, [
      { name: 'api.test', ttlS: 60, type: 'CNAME', target: 'other.test' },
      { name: 'other.test', ttlS: 30, type: 'SRV', priority: 1, weight: 20, port: 3000, target: 'host.test' },
    ]);
    assert.deepEqual(response.authority, [{ name: 'test', ttlS: 9, type: 'SOA', minimumS: 5 }]);
    assert.deepEqual(response.additional, [
      { name: 'host.test', ttlS: 5, type: 'A', address: '10.0.0.1' },
      { name: 'host.test', ttlS: 6, type: 'AAAA', address: '2001:db8::1' },
    ]);
  });

  test('has names in lower case, compressed or not', () => {
    const response = decodeResponse(withRecord(0xc0, NAME_AT, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4));
    assert.deepEqual(response!.answers, [{ name: 'a', ttlS: 9, type: 'A', address: '1.2.3.4' }]);
  });

  test('has a TTL of zero where the highest bit is set (RFC 2181 section 8)', () => {
    const response = decodeResponse(withRecord(0, 0, 1, 0, 1, 0xff, 0, 0, 0, 0, 4, 1, 2, 3, 4));
    assert.equal(response!.answers[0]!.ttlS, 0);
  });

  test('of 1,000 records is read', () => {
    const answers = Array.from({ length: 1_000 }, (_, at) => `a 9 A 10.0.${at >> 8}.${at & 255}`);
    assert.equal(decodeResponse(responseBytes(7, 'a', 'A', { answers }))!.answers.length, 1_000);
  });

  const recordAt = HEADER.length + QUESTION.length;
  const HOSTILE: readonly (readonly [what: string, bytes: Uint8Array])[] = [
    ['no bytes', new Uint8Array()],
    ['half a header', Uint8Array.from(HEADER.slice(0, 7))],
    ['a query', Uint8Array.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...QUESTION])],
    ['no question', Uint8Array.from([0, 7, 0x81, 0x80, 0, 0, 0, 0, 0, 0, 0, 0])],
    ['two questions', Uint8Array.from([0, 7, 0x81, 0x80, 0, 2, 0, 0, 0, 0, 0, 0, ...QUESTION, ...QUESTION])],
    ['another class', Uint8Array.from([...HEADER, 1, 0x61, 0, 0, 1, 0, 3])],
    ['a record that is missing', Uint8Array.from([...HEADER, ...QUESTION])],
    ['a pointer to itself', withRecord(0xc0, recordAt, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4)],
    ['a pointer forwards', withRecord(0xc0, recordAt + 2, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4)],
    ['a pointer beyond the end', withRecord(0xff, 0xff, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4)],
    ['a pointer without its second byte', withRecord(0xc0)],
    ['two pointers that form a loop', withRecord(1, 0x62, 0xc0, recordAt, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4)],
    ['a label of 64 bytes', withRecord(64, ...Array.from({ length: 64 }, () => 0x61), 0)],
    ['a label with a dot', withRecord(3, 0x61, 0x2e, 0x62, 0, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4)],
    ['a label with a zero', withRecord(1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4)],
    ['a label beyond the end', withRecord(9, 0x61)],
    ['an address of three bytes', withRecord(0, 0, 1, 0, 1, 0, 0, 0, 9, 0, 3, 1, 2, 3)],
    ['an address of 15 bytes', withRecord(0, 0, 28, 0, 1, 0, 0, 0, 9, 0, 15, ...Array.from({ length: 15 }, () => 1))],
    ['data beyond the end', withRecord(0, 0, 1, 0, 1, 0, 0, 0, 9, 0xff, 0xff, 1, 2, 3, 4)],
    ['SRV data that ends early', withRecord(0, 0, 33, 0, 1, 0, 0, 0, 9, 0, 4, 0, 1, 0, 1)],
    ['a target that goes beyond its data', withRecord(0, 0, 5, 0, 1, 0, 0, 0, 9, 0, 1, 1, 0x61, 0)],
  ];
  for (const [what, bytes] of HOSTILE) {
    test(`with ${what} is refused`, () => assert.equal(decodeResponse(bytes), null));
  }

  test('with a name that pointers make longer than 255 bytes is refused', () => {
    const label = [63, ...Array.from({ length: 63 }, () => 0x61)];
    const names: number[] = [];
    // Each name is a label and a pointer to the one before.
    let before = NAME_AT;
    const records: number[] = [];
    for (let at = 0; at < 6; at++) {
      const here = HEADER.length + QUESTION.length + records.length;
      records.push(...label, 0xc0 | (before >> 8), before & 0xff, 0, 99, 0, 1, 0, 0, 0, 9, 0, 0);
      before = here;
      names.push(here);
    }
    const bytes = Uint8Array.from([...HEADER.slice(0, 7), names.length, 0, 0, 0, 0, ...QUESTION, ...records]);
    assert.equal(decodeResponse(bytes), null);
  });

  test('is never an exception: 20,000 changed and cut messages', () => {
    const random = seededRandom(4711);
    const below = (limit: number): number => Math.floor(random.next() * limit);
    const sample = responseBytes(7, 'api.test', 'SRV', {
      answers: ['api.test 30 SRV 1 20 3000 host.test', 'api.test 30 SRV 2 20 3000 other.test'],
      authority: ['test 9 SOA 1 2 3 4 5'],
      additional: ['host.test 5 A 10.0.0.1', 'host.test 6 AAAA 2001:db8::1'],
    });
    let read = 0;
    for (let turn = 0; turn < 20_000; turn++) {
      const bytes = sample.slice(0, below(4) === 0 ? below(sample.length) : sample.length);
      for (let change = below(4); change >= 0 && bytes.length > 0; change--) bytes[below(bytes.length)] = below(256);
      if (decodeResponse(bytes) !== null) read++;
    }
    assert.ok(read > 100, 'some changes leave a message that can be read');
  });
});
