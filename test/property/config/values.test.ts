// Values: formatting and parsing are inverse, and no text makes a parser throw. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseBindAddress } from '../../../config/values/bind-address.ts';
import { formatBindAddress } from '../../../net/host-port.ts';
import { hasNestedRepeat, parseBodyPattern } from '../../../health/checkers/body-pattern.ts';
import { formatDuration, parseDuration } from '../../../config/values/duration.ts';
import { endpointId, parseEndpointAddress } from '../../../config/values/endpoint-address.ts';
import { substitute } from '../../../config/yaml/environment.ts';
import { editDistance } from '../../../config/problems/nearest-name.ts';
import { parsePercent } from '../../../config/values/quantity.ts';
import { parseHedgeDelay } from '../../../config/schema/schema-retry.ts';
import { formatSize, parseSize } from '../../../config/values/quantity.ts';
import { parseStatusRanges } from '../../../health/checkers/http-check.ts';
import { parseCidr } from '../../../core/cidr.ts';

const SEED = { seed: 20_260_802, numRuns: 500 };

test('formatted durations and sizes parse to the same value', () => {
  fc.assert(
    fc.property(fc.nat(2_147_483_647), (number) => {
      assert.deepEqual(parseDuration(formatDuration(number)), { ok: true, value: number });
      assert.deepEqual(parseSize(formatSize(number)), { ok: true, value: number });
    }),
    SEED,
  );
});

test('a parsed bind address formats to one that parses to the same', () => {
  const host = fc.oneof(
    fc.ipV4(),
    fc.ipV6().map((address) => `[${address}]`),
    fc.constant(''),
    fc.domain(),
  );
  fc.assert(
    fc.property(host, fc.nat(65_535), (name, port) => {
      const parsed = parseBindAddress(`${name}:${port}`);
      assert.ok(parsed.ok, `${name}:${port}`);
      assert.deepEqual(parseBindAddress(formatBindAddress(parsed.value)), parsed);
    }),
    SEED,
  );
});

test('the identity of an endpoint parses to the same endpoint', () => {
  const host = fc.oneof(
    fc.ipV4(),
    fc.ipV6().map((address) => `[${address}]`),
    fc.domain(),
  );
  fc.assert(
    fc.property(host, fc.integer({ min: 1, max: 65_535 }), (name, port) => {
      const parsed = parseEndpointAddress(`http://${name}:${port}`);
      assert.ok(parsed.ok, `${name}:${port}`);
      assert.deepEqual(parseEndpointAddress(`http://${endpointId(parsed.value)}`), parsed);
    }),
    SEED,
  );
});

test('no text makes a parser throw, and every refusal has a reason', () => {
  const grammar = fc.string({
    unit: fc.constantFrom(...'0159.:/[]-,% uhtpnixfdmskKMGiB*$\0é'.split('')),
    maxLength: 24,
  });
  const parsers = [
    parseDuration,
    parseSize,
    parsePercent,
    parseHedgeDelay,
    parseBodyPattern,
    parseBindAddress,
    parseEndpointAddress,
    parseStatusRanges,
  ];
  fc.assert(
    fc.property(fc.oneof(grammar, fc.string()), (text) => {
      for (const parse of parsers) {
        const parsed = parse(text);
        assert.ok(parsed.ok || parsed.message.length > 10);
      }
      parseCidr(text);
      hasNestedRepeat(text);
    }),
    { ...SEED, numRuns: 3000 },
  );
});

test('a text with every dollar sign doubled is unchanged by substitution', () => {
  const text = fc.string({ unit: fc.constantFrom(...'${}:-AB_ 1'.split('')) });
  fc.assert(
    fc.property(text, (original) => {
      assert.deepEqual(substitute(original.replaceAll('$', '$$$$'), {}), {
        text: original,
        hasVariables: false,
        faults: [],
      });
    }),
    SEED,
  );
});

test('the edit distance is symmetric and bounded by the lengths', () => {
  const word = fc.string({ unit: fc.constantFrom(...'abc'.split('')), maxLength: 8 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      assert.equal(distance, editDistance(b, a));
      assert.equal(distance === 0, a === b);
      assert.ok(distance >= Math.abs(a.length - b.length) && distance <= Math.max(a.length, b.length));
    }),
    SEED,
  );
});
