// Framing of responses, and refusals. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CODEC_ERRORS } from '../../../../proxy/http1/codec-error.ts';
import { BodyKind, frameResponse, Framing } from '../../../../proxy/http1/framing.ts';
import { Method, type MessageHead } from '../../../../proxy/http1/message-head.ts';
import { completeHead, responseWith } from '../../../support/http1-scan.ts';

interface Framed {
  readonly error: string;
  readonly framing: Framing;
  readonly head: MessageHead;
}

function frame(head: MessageHead, method: number = Method.GET, wasUpgradeAsked = false): Framed {
  const framing = new Framing();
  const error = frameResponse(head, framing, method, wasUpgradeAsked);
  return { error: CODEC_ERRORS[error]!.name, framing, head };
}

function response10(...lines: readonly string[]): MessageHead {
  return completeHead('response', ['HTTP/1.0 200 OK', ...lines]);
}

const CHUNKED = 'Transfer-Encoding: chunked';

describe('framing of responses', () => {
  const bodies: readonly (readonly [what: string, framed: Framed, kind: number, lengthBytes: number])[] = [
    ['Content-Length', frame(responseWith(200, 'Content-Length: 5')), BodyKind.LENGTH, 5],
    ['Content-Length 0', frame(responseWith(200, 'Content-Length: 0')), BodyKind.NONE, 0],
    ['chunked', frame(responseWith(200, CHUNKED)), BodyKind.CHUNKED, 0],
    ['neither: until close', frame(responseWith(200)), BodyKind.UNTIL_CLOSE, 0],
    ['HEAD with Content-Length', frame(responseWith(200, 'Content-Length: 5'), Method.HEAD), BodyKind.NONE, 0],
    ['HEAD with chunked', frame(responseWith(200, CHUNKED), Method.HEAD), BodyKind.NONE, 0],
    ['HEAD with neither', frame(responseWith(200), Method.HEAD), BodyKind.NONE, 0],
    ['304 with Content-Length', frame(responseWith(304, 'Content-Length: 5')), BodyKind.NONE, 0],
    ['304 with neither', frame(responseWith(304)), BodyKind.NONE, 0],
    ['204', frame(responseWith(204)), BodyKind.NONE, 0],
    ['204 with Content-Length', frame(responseWith(204, 'Content-Length: 5')), BodyKind.NONE, 0],
    ['204 with chunked', frame(responseWith(204, CHUNKED)), BodyKind.NONE, 0],
    ['100', frame(responseWith(100)), BodyKind.NONE, 0],
    ['103 with Content-Length', frame(responseWith(103, 'Content-Length: 5')), BodyKind.NONE, 0],
    ['101 that was asked for', frame(responseWith(101), Method.GET, true), BodyKind.TUNNEL, 0],
    ['HTTP/1.0 with Content-Length', frame(response10('Content-Length: 5')), BodyKind.LENGTH, 5],
    ['an error with a body', frame(responseWith(500, 'Content-Length: 5')), BodyKind.LENGTH, 5],
  ];
  for (const [what, { error, framing }, kind, lengthBytes] of bodies) {
    test(what, () => {
      assert.equal(error, 'none');
      assert.deepEqual([framing.body, framing.lengthBytes], [kind, lengthBytes]);
    });
  }

  const refused: readonly (readonly [what: string, error: string, framed: Framed])[] = [
    ['101 that nobody asked for', 'unrequested-switch', frame(responseWith(101, 'Connection: upgrade', 'Upgrade: x'))],
    ['length and coding', 'length-with-coding', frame(responseWith(200, 'Content-Length: 5', CHUNKED))],
    ['a coding in HTTP/1.0', 'coding-in-http-1.0', frame(response10(CHUNKED))],
    ['a bad length', 'bad-content-length', frame(responseWith(200, 'Content-Length: -5'))],
    ['a bad length of HEAD', 'bad-content-length', frame(responseWith(200, 'Content-Length: x'), Method.HEAD)],
    ['a bad length of 304', 'bad-content-length', frame(responseWith(304, 'Content-Length: '))],
    ['two lengths', 'repeated-content-length', frame(responseWith(200, 'Content-Length: 5', 'Content-Length: 5'))],
    ['another coding', 'unknown-transfer-coding', frame(responseWith(200, 'Transfer-Encoding: gzip'))],
    ['chunked not last', 'bad-transfer-coding', frame(responseWith(200, 'Transfer-Encoding: chunked, gzip'))],
    ['nominated framing', 'forbidden-nomination', frame(responseWith(200, 'Connection: Content-Length'))],
  ];
  for (const [what, error, framed] of refused) {
    test(`refuses ${what}: ${error}`, () => assert.equal(framed.error, error));
  }
});

describe('framing of responses reports', () => {
  test('whether the connection may be reused', () => {
    const length = 'Content-Length: 0';
    assert.equal(frame(responseWith(200, length)).framing.isPersistent, true);
    assert.equal(frame(responseWith(200, length, 'Connection: close')).framing.isPersistent, false);
    assert.equal(frame(responseWith(200)).framing.isPersistent, false, 'a body until close ends it');
    assert.equal(frame(responseWith(304)).framing.isPersistent, true);
    assert.equal(frame(response10(length)).framing.isPersistent, false);
    assert.equal(frame(response10(length, 'Connection: Keep-Alive')).framing.isPersistent, true);
    assert.equal(frame(response10('Connection: Keep-Alive')).framing.isPersistent, false);
  });

  test('the declared length of a HEAD response or 304', () => {
    assert.equal(frame(responseWith(200, 'Content-Length: 5'), Method.HEAD).framing.declaredBytes, 5);
    assert.equal(frame(responseWith(304, 'Content-Length: 7')).framing.declaredBytes, 7);
    assert.equal(frame(responseWith(200), Method.HEAD).framing.declaredBytes, -1);
  });

  test('no framing fields for 1xx and 204', () => {
    for (const status of [103, 204]) {
      const { head } = frame(responseWith(status, 'Content-Length: 5', CHUNKED, 'X-A: b'));
      assert.deepEqual(head.fieldList(0), ['X-A', 'b']);
    }
  });

  test('the fields that the endpoint nominated', () => {
    const { head, framing } = frame(
      responseWith(200, 'Connection: X-Hop', 'X-Hop: 1', 'X-Stay: 1', 'Content-Length: 0'),
    );
    assert.equal(framing.hasNominated, true);
    assert.deepEqual(head.fieldList(0), ['Connection', 'X-Hop', 'X-Stay', '1', 'Content-Length', '0']);
  });
});
