// The Connection field: options, nominations, protected fields.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CodecError } from '../../../../proxy/http1/codec-error.ts';
import { ConnectionOption, listHas, readConnection } from '../../../../proxy/http1/connection-options.ts';
import { requestWith } from '../../../support/http1-scan.ts';

const { CLOSE, KEEP_ALIVE, UPGRADE, OTHER } = ConnectionOption;

describe('Connection options', () => {
  const lists: readonly (readonly [options: number, ...values: string[]])[] = [
    [0],
    [KEEP_ALIVE, 'keep-alive'],
    [KEEP_ALIVE, 'Keep-Alive'],
    [CLOSE, 'close'],
    [CLOSE, 'CLOSE'],
    [CLOSE | KEEP_ALIVE, 'keep-alive, close'],
    [CLOSE | KEEP_ALIVE, 'keep-alive', 'close'],
    [UPGRADE, 'Upgrade'],
    [UPGRADE | KEEP_ALIVE, 'keep-alive,Upgrade'],
    [OTHER, 'TE'],
    [OTHER | CLOSE, '\tX-A ,\tclose'],
    [CLOSE, ',, close ,'],
    [0, ''],
    [0, ','],
    [OTHER, 'closed'],
    [OTHER, 'close-'],
  ];
  for (const [options, ...values] of lists) {
    test(`of ${JSON.stringify(values)} are ${options}`, () => {
      const head = requestWith(...values.map((value) => `Connection: ${value}`));
      assert.equal(readConnection(head), options);
    });
  }

  test('cut every field that they nominate, in any case, and no other', () => {
    const head = requestWith('X-Hop: 1', 'Connection: X-HOP, x-gone', 'x-hop: 2', 'X-Hope: 3', 'Cookie: c');
    assert.equal(readConnection(head), OTHER);
    assert.deepEqual(head.fieldList(0), ['Host', 'a', 'Connection', 'X-HOP, x-gone', 'X-Hope', '3', 'Cookie', 'c']);
  });

  const names = ['Host', 'content-length', 'Transfer-Encoding', 'FORWARDED', 'X-Forwarded-For', 'x-forwarded-anything'];
  for (const name of names) {
    test(`may not nominate ${name}`, () => {
      const head = requestWith('Content-Length: 0', `Connection: close, ${name}`);
      assert.equal(readConnection(head), ~CodecError.FORBIDDEN_NOMINATION);
    });
  }

  test('are at most nine, counting empty ones and all lines', () => {
    const nine = 'a,b,c,d,e,f,g,h,i';
    assert.equal(readConnection(requestWith(`Connection: ${nine}`)), OTHER);
    const tooMany = ~CodecError.TOO_MANY_CONNECTION_OPTIONS;
    assert.equal(readConnection(requestWith(`Connection: ${nine},j`)), tooMany);
    assert.equal(readConnection(requestWith(`Connection: ${nine}`, 'Connection: close')), tooMany);
    assert.equal(readConnection(requestWith(`Connection: ${','.repeat(9)}`)), 0);
    assert.equal(readConnection(requestWith(`Connection: ${','.repeat(10)}`)), tooMany);
  });

  for (const value of ['keep alive', 'close;a', '"close"', 'a=b', 'cl\xf6se']) {
    test(`${JSON.stringify(value)} is not an option`, () => {
      assert.equal(readConnection(requestWith(`Connection: ${value}`)), ~CodecError.BAD_CONNECTION_OPTION);
    });
  }
});

describe('list fields', () => {
  test('match a whole element, in any case, in any of their lines', () => {
    const head = requestWith('TE: gzip;q=1, Trailers', 'X-A: a', 'X-A: b , c');
    assert.equal(listHas(head, 'te', 'trailers'), true);
    assert.equal(listHas(head, 'x-a', 'c'), true);
    assert.equal(listHas(head, 'x-a', 'd'), false);
    assert.equal(listHas(head, 'te', 'gzip'), false, 'a parameter makes it another element');
    assert.equal(listHas(head, 'accept', 'a'), false);
  });
});
