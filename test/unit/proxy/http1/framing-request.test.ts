// Framing of requests, and refusals. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CODEC_ERRORS } from '../../../../proxy/http1/codec-error.ts';
import { BodyKind, frameRequest, Framing } from '../../../../proxy/http1/framing.ts';
import { requestWith } from '../../../support/http1-scan.ts';

function frame(...lines: readonly string[]): { readonly error: string; readonly framing: Framing } {
  const framing = new Framing();
  const error = frameRequest(requestWith(...lines), framing);
  return { error: CODEC_ERRORS[error]!.name, framing };
}

const CL = (value: string): string => `Content-Length: ${value}`;
const TE = (value: string): string => `Transfer-Encoding: ${value}`;

describe('framing of requests', () => {
  const bodies: readonly (readonly [what: string, kind: number, lengthBytes: number, ...lines: string[]])[] = [
    ['no framing field: no body', BodyKind.NONE, 0],
    ['Content-Length 0: no body', BodyKind.NONE, 0, CL('0')],
    ['Content-Length', BodyKind.LENGTH, 5, CL('5')],
    ['Content-Length with blanks around', BodyKind.LENGTH, 42, CL('\t 42 \t')],
    ['leading zeros are decimal', BodyKind.LENGTH, 10, CL('010')],
    ['many leading zeros', BodyKind.LENGTH, 7, CL('00000000000000000000007')],
    ['zeros alone', BodyKind.NONE, 0, CL('000')],
    ['the longest Content-Length', BodyKind.LENGTH, 999_999_999_999_999, CL('999999999999999')],
    ['chunked', BodyKind.CHUNKED, 0, TE('chunked')],
    ['chunked in any case', BodyKind.CHUNKED, 0, TE('ChunKED \t')],
    ['a field that only looks like framing', BodyKind.LENGTH, 3, 'Transfer_Encoding: chunked', CL('3')],
    ['Content-Encoding is not framing', BodyKind.LENGTH, 3, 'Content-Encoding: chunked', CL('3')],
  ];
  for (const [what, kind, lengthBytes, ...lines] of bodies) {
    test(what, () => {
      const { error, framing } = frame(...lines);
      assert.equal(error, 'none');
      assert.deepEqual([framing.body, framing.lengthBytes], [kind, lengthBytes]);
    });
  }

  const refused: readonly (readonly [what: string, error: string, ...lines: string[]])[] = [
    ['an empty Content-Length', 'bad-content-length', CL('')],
    ['a signed one', 'bad-content-length', CL('+5')],
    ['a negative one', 'bad-content-length', CL('-5')],
    ['hexadecimal', 'bad-content-length', CL('0x5')],
    ['a fraction', 'bad-content-length', CL('5.0')],
    ['an exponent', 'bad-content-length', CL('5e0')],
    ['a blank inside', 'bad-content-length', CL('4 2')],
    ['letters behind', 'bad-content-length', CL('5Z')],
    ['an underscore', 'bad-content-length', CL('1_0')],
    ['a list of equal lengths', 'bad-content-length', CL('5, 5')],
    ['a list of lengths', 'bad-content-length', CL('0,5')],
    ['more than 15 digits', 'bad-content-length', CL('1000000000000000')],
    ['2^64 + 5', 'bad-content-length', CL('18446744073709551621')],
    ['a digit of another script', 'bad-content-length', CL('\xb2')],
    ['two different lengths', 'repeated-content-length', CL('5'), CL('6')],
    ['two equal lengths', 'repeated-content-length', CL('5'), 'content-length: 5'],
    ['length and coding (CL.TE)', 'length-with-coding', CL('5'), TE('chunked')],
    ['coding and length (TE.CL)', 'length-with-coding', TE('chunked'), CL('5')],
    ['length and a bad coding', 'length-with-coding', CL('5'), TE('x')],
    ['two codings (TE.TE)', 'bad-transfer-coding', TE('chunked'), TE('chunked')],
    ['chunked and another line', 'bad-transfer-coding', TE('chunked'), TE('identity')],
    ['chunked twice', 'bad-transfer-coding', TE('chunked, chunked')],
    ['chunked not last', 'bad-transfer-coding', TE('chunked, gzip')],
    ['another coding first', 'unknown-transfer-coding', TE('gzip, chunked')],
    ['several codings first', 'unknown-transfer-coding', TE('gzip , deflate,CHUNKED')],
    ['an empty element before chunked', 'bad-transfer-coding', TE(', chunked')],
    ['a quoted coding before chunked', 'bad-transfer-coding', TE('"gzip", chunked')],
    ['an empty element first', 'bad-transfer-coding', TE(',chunked')],
    ['an empty coding', 'bad-transfer-coding', TE('')],
    ['another coding', 'unknown-transfer-coding', TE('gzip')],
    ['identity', 'unknown-transfer-coding', TE('identity')],
    ['chunked in quotes', 'unknown-transfer-coding', TE('"chunked"')],
    ['chunked with a parameter', 'unknown-transfer-coding', TE('chunked;a=b')],
    ['chunkedchunked', 'unknown-transfer-coding', TE('chunkedchunked')],
    ['chunked behind a byte that is no blank', 'unknown-transfer-coding', TE('\xa0chunked')],
    ['a nominated Content-Length', 'forbidden-nomination', 'Connection: content-length', CL('5')],
    ['ten connection options', 'too-many-connection-options', 'Connection: a,b,c,d,e,f,g,h,i,j'],
    ['a connection option that is no token', 'bad-connection-option', 'Connection: a b'],
  ];
  for (const [what, error, ...lines] of refused) {
    test(`refuses ${what}: ${error}`, () => assert.equal(frame(...lines).error, error));
  }
});

describe('framing of requests reports', () => {
  test('whether the connection may be reused', () => {
    assert.equal(frame().framing.isPersistent, true);
    assert.equal(frame('Connection: keep-alive').framing.isPersistent, true);
    assert.equal(frame('Connection: close').framing.isPersistent, false);
    assert.equal(frame('Connection: keep-alive, close').framing.isPersistent, false, 'close wins');
  });

  test('whether an upgrade is requested, which takes both fields', () => {
    assert.equal(frame('Connection: Upgrade', 'Upgrade: websocket').framing.requestsUpgrade, true);
    assert.equal(frame('Upgrade: websocket').framing.requestsUpgrade, false);
    assert.equal(frame('Connection: Upgrade').framing.requestsUpgrade, false);
  });

  test('whether trailers are accepted', () => {
    assert.equal(frame('TE: trailers').framing.acceptsTrailers, true);
    assert.equal(frame('TE: gzip, TRAILERS').framing.acceptsTrailers, true);
    assert.equal(frame('TE: trailers;q=0.5').framing.acceptsTrailers, false);
    assert.equal(frame().framing.acceptsTrailers, false);
  });

  test('whether a length has leading zeros, and whether fields were nominated', () => {
    assert.equal(frame(CL('010')).framing.hasPaddedLength, true);
    assert.equal(frame(CL('0')).framing.hasPaddedLength, false);
    assert.equal(frame(CL('10')).framing.hasPaddedLength, false);
    assert.equal(frame('Connection: x-a').framing.hasNominated, true);
    assert.equal(frame('Connection: close').framing.hasNominated, false);
  });

  test('nothing of the previous message', () => {
    const framing = new Framing();
    frameRequest(
      requestWith('Content-Length: 05', 'Connection: close, Upgrade, a', 'Upgrade: x', 'TE: trailers'),
      framing,
    );
    frameRequest(requestWith(), framing);
    assert.deepEqual(framing, new Framing());
  });
});
