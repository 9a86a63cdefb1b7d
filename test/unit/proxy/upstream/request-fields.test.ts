import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttemptRequest } from '../../../../core/exchange-contract.ts';
import { requestFields } from '../../../../proxy/upstream/request-encoder.ts';
import { requestOrigin } from '../../../support/request-origin.ts';
import { requestHead } from '../../../support/request-head.ts';
import { endpointSnapshot, upstreamSnapshot } from '../../../support/snapshots.ts';

function fieldsOf(fields: readonly string[], parts: Partial<AttemptRequest> = {}): string[] {
  return requestFields({
    head: requestHead({ fields }),
    endpoint: endpointSnapshot(0),
    upstream: upstreamSnapshot(),
    hostField: 'a.test',
    insertedFields: [],
    removedFields: new Set<string>(),
    mustUseFresh: false,
    origin: requestOrigin(),
    ...parts,
  });
}

test('Host comes first, then the fields of the client unchanged', () => {
  assert.deepEqual(fieldsOf(['B', '1', 'a', '2', 'B', '3']), ['Host', 'a.test', 'B', '1', 'a', '2', 'B', '3']);
});

test('inserted fields replace all lines of the same name, at the end', () => {
  const inserted = ['X-Forwarded-For', 'us', 'X-New', 'n'];
  assert.deepEqual(fieldsOf(['x-forwarded-for', 'a', 'K', 'k', 'X-FORWARDED-FOR', 'b'], { insertedFields: inserted }), [
    'Host',
    'a.test',
    'K',
    'k',
    ...inserted,
  ]);
});

test('removed names are dropped, whatever their case', () => {
  assert.deepEqual(fieldsOf(['X-Gone', 'g', 'x-gone', 'g'], { removedFields: new Set(['x-gone']) }), [
    'Host',
    'a.test',
  ]);
});

test('neither a client nor a route sets framing, Host or connection-specific fields', () => {
  const forbidden = [
    'Host',
    'Connection',
    'Keep-Alive',
    'TE',
    'Transfer-Encoding',
    'Content-Length',
    'Upgrade',
    'Expect',
  ];
  const fields = forbidden.flatMap((name) => [name, 'x']);
  assert.deepEqual(fieldsOf(fields, { insertedFields: fields }), ['Host', 'a.test']);
});
