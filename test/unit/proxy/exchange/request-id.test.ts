import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RequestIds } from '../../../../proxy/exchange/request-id.ts';

describe('request identifiers', () => {
  test('are 64 random bits and a count in base 36', () => {
    const ids = new RequestIds();
    const first = ids.next();
    assert.match(first, /^[\da-f]{16}-00000001$/);
    const prefix = first.slice(0, 17);
    for (let count = 2; count <= 3000; count += 1) {
      assert.equal(ids.next(), prefix + count.toString(36).padStart(8, '0'));
    }
  });

  test('differ between workers', () => {
    assert.notEqual(new RequestIds().next(), new RequestIds().next());
  });

  test('are accepted from a trusted peer if they are safe in every log', () => {
    const ids = new RequestIds();
    assert.equal(ids.of('abc-1:2/3+4=@5'), 'abc-1:2/3+4=@5');
    for (const given of [undefined, '', 'a b', 'a"b', 'x'.repeat(129), 'a\r\nb']) {
      assert.match(ids.of(given), /^[\da-f]{16}-[\da-z]{8}$/);
    }
  });
});
