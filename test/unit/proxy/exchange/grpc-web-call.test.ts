// gRPC-Web calls between a scripted client side and a scripted exchange. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ClientEvents, ClientSide, LocalReply } from '../../../../core/exchange-contract.ts';
import type { FieldList, ResponseHead } from '../../../../core/head.ts';
import { Base64Decoder } from '../../../../proxy/exchange/base64-decoder.ts';
import { type GrpcWebCall, grpcWebCallOf } from '../../../../proxy/exchange/grpc-web-call.ts';
import { fieldOf, requestHead } from '../../../support/request-head.ts';

interface Played {
  readonly call: GrpcWebCall;
  readonly heads: { readonly head: ResponseHead; readonly extra: FieldList }[];
  readonly sent: Buffer[];
  readonly replies: LocalReply[];
  readonly received: Buffer[];
  /** Events of the exchange, and ends of the response. */
  readonly log: string[];
}

function play(fields: readonly string[], isConverted = true): Played {
  const played = { heads: [], sent: [], replies: [], received: [], log: [] } as unknown as Played;
  const client = {
    sendHead: (head: ResponseHead, extra: FieldList) => void played.heads.push({ head, extra }),
    sendData: (chunk: Uint8Array) => played.sent.push(Buffer.from(chunk)) > 0,
    sendEnd: (trailers: FieldList | null) => void played.log.push(`end ${String(trailers)}`),
    sendLocalReply: (reply: LocalReply) => void played.replies.push(reply),
  } as unknown as ClientSide;
  const call = grpcWebCallOf(client, requestHead({ method: 'POST', bodyLength: 100, fields }))!;
  call.events = {
    onBodyData: (chunk: Uint8Array) => void played.received.push(Buffer.from(chunk)),
    onBodyEnd: (trailers: FieldList | null) => void played.log.push(`body-end ${String(trailers)}`),
    onClientGone: (why: string) => void played.log.push(`gone ${why}`),
  } as unknown as ClientEvents;
  if (isConverted) call.head.convert();
  return { ...played, call };
}

const BINARY = ['content-type', 'application/grpc-web+proto'];
const TEXT = ['Content-Type', 'application/grpc-web-text'];

function responseHead(fields: FieldList, bodyLength = -1): ResponseHead {
  const field = (name: string) => fieldOf(fields, name);
  return { status: 200, reason: 'OK', bodyLength, hasLength: bodyLength >= 0, field, endToEndFields: () => fields };
}

/** The frame of trailers. */
function frame(text: string): Buffer {
  const bytes = Buffer.alloc(5 + text.length);
  bytes[0] = 0x80;
  bytes.writeUInt32BE(text.length, 1);
  bytes.write(text, 5);
  return bytes;
}

describe('requests', () => {
  test('other requests are no gRPC-Web calls', () => {
    const client = {} as ClientSide;
    for (const [method, type] of [
      ['POST', 'application/grpc'],
      ['POST', 'application/grpc-websocket'],
      ['GET', 'application/grpc-web'],
      ['POST', 'application/json'],
    ] as const) {
      assert.equal(grpcWebCallOf(client, requestHead({ method, fields: ['content-type', type] })), null, type);
    }
    assert.equal(grpcWebCallOf(client, requestHead({ method: 'POST' })), null);
  });

  test('the head is that of a gRPC request once it is converted', () => {
    const { call } = play([...BINARY, 'x-a', '1'], false);
    const { head } = call;
    assert.deepEqual([head.field('content-type'), head.field('te'), head.bodyLength], [BINARY[1], undefined, 100]);
    head.convert();
    assert.deepEqual([head.field('content-type'), head.field('te')], ['application/grpc+proto', 'trailers']);
    assert.deepEqual(head.endToEndFields(), ['content-type', 'application/grpc+proto', 'x-a', '1']);
    assert.deepEqual([head.bodyLength, play(TEXT).call.head.bodyLength], [100, -1]);
  });

  test('a binary body passes as it is, one in base64 is decoded in every split', () => {
    const bytes = Buffer.from(Array.from({ length: 100 }, (_, at) => at));
    const binary = play(BINARY);
    binary.call.onBodyData(bytes);
    binary.call.onBodyEnd(['x', '1']);
    assert.deepEqual([Buffer.concat(binary.received), binary.log], [bytes, ['body-end null']]);
    const text = Buffer.from(bytes.subarray(0, 40).toString('base64') + bytes.subarray(40).toString('base64'));
    for (const size of [1, 3, 4, 5, 16, 1000]) {
      const { call, received, log } = play(TEXT);
      for (let at = 0; at < text.length; at += size) call.onBodyData(text.subarray(at, at + size));
      call.onBodyEnd(null);
      assert.deepEqual([Buffer.concat(received), log], [bytes, ['body-end null']], `size ${size}`);
    }
  });

  for (const body of ['****', 'AAA', 'AA=A', 'AAAA=', 'A===', 'AA\nA']) {
    test(`malformed base64 is reported once: ${JSON.stringify(body)}`, () => {
      const { call, log } = play(TEXT);
      call.onBodyData(Buffer.from(body));
      call.onBodyData(Buffer.from('AAAA'));
      call.onBodyEnd(null);
      assert.deepEqual(log, ['gone malformed-body']);
    });
  }
});

describe('responses', () => {
  test('messages pass, and trailers are the last frame', () => {
    const { call, heads, sent, log } = play(BINARY);
    call.sendHead(responseHead(['content-type', 'application/grpc+proto', 'x-a', '1']), ['x-b', '2']);
    call.sendData(Buffer.from('message'));
    call.sendEnd(['Grpc-Status', '0', 'x-sum', '7']);
    const [{ head, extra }] = heads as [Played['heads'][0]];
    assert.deepEqual(extra, ['content-type', 'application/grpc-web+proto', 'x-b', '2']);
    assert.deepEqual([head.endToEndFields(), head.bodyLength], [['x-a', '1'], -1]);
    assert.deepEqual(sent, [Buffer.from('message'), frame('grpc-status: 0\r\nx-sum: 7\r\n')]);
    assert.deepEqual(log, ['end null']);
  });

  test('a status without messages is a frame', () => {
    const { call, heads, sent, log } = play(BINARY);
    const status = ['grpc-status', '5', 'grpc-message', 'no such order'];
    call.sendHead(responseHead(['content-type', 'application/grpc', ...status, 'x-a', '1'], 0), []);
    call.sendEnd(null);
    assert.deepEqual(heads[0]!.head.endToEndFields(), ['x-a', '1']);
    assert.equal(heads[0]!.head.hasLength, false);
    assert.deepEqual(sent, [frame('grpc-status: 5\r\ngrpc-message: no such order\r\n')]);
    assert.deepEqual(log, ['end null']);
  });

  test('the form of the response is the one that Accept names, else that of the request', () => {
    const cases = [
      [BINARY, 'application/grpc-web+proto'],
      [TEXT, 'application/grpc-web-text+proto'],
      [[...TEXT, 'accept', '*/*'], 'application/grpc-web-text+proto'],
      [[...TEXT, 'accept', 'application/grpc-web+proto'], 'application/grpc-web+proto'],
      [[...BINARY, 'accept', 'application/grpc-web-text'], 'application/grpc-web-text+proto'],
    ] as const;
    for (const [fields, type] of cases) {
      const { call, heads, sent } = play(fields);
      call.sendHead(responseHead(['content-type', 'application/grpc+proto']), []);
      call.sendData(Buffer.from('abcd'));
      assert.equal(heads[0]!.extra[1], type);
      assert.equal(sent[0]!.toString(), type.includes('text') ? 'YWJjZA==' : 'abcd');
    }
  });

  test('a reply with a gRPC status is a frame; other replies and responses pass', () => {
    const reply = { status: 200, reason: 'OK', body: new Uint8Array(0), mustClose: false };
    const fields = ['content-type', 'application/grpc', 'grpc-status', '14', 'grpc-message', 'gone', 'x-a', '1'];
    const { call, replies } = play(BINARY);
    call.sendLocalReply({ ...reply, fields });
    assert.deepEqual(replies[0]!.fields, ['content-type', 'application/grpc-web', 'x-a', '1']);
    assert.deepEqual(replies[0]!.body, frame('grpc-status: 14\r\ngrpc-message: gone\r\n'));
    const html = responseHead(['content-type', 'text/html']);
    const other = play(BINARY);
    other.call.sendHead(html, []);
    other.call.sendEnd(['x', '1']);
    assert.equal(other.heads[0]!.head, html);
    assert.deepEqual(other.log, ['end x,1']);
  });

  test('nothing is converted on a route without the policy', () => {
    const { call, heads, sent, received, log } = play(TEXT, false);
    const head = responseHead(['content-type', 'application/grpc-web-text']);
    call.onBodyData(Buffer.from('**'));
    call.onBodyEnd(['x', '1']);
    call.sendHead(head, []);
    call.sendData(Buffer.from('ab'));
    call.sendEnd(null);
    assert.deepEqual([heads[0]!.head, sent, received], [head, [Buffer.from('ab')], [Buffer.from('**')]]);
    assert.deepEqual(log, ['body-end x,1', 'end null']);
  });
});

test('base64: padding inside is accepted, an incomplete group is not whole', () => {
  const decoder = new Base64Decoder();
  assert.equal(decoder.decode(Buffer.from('YQ==YWI=YWJj'))!.toString(), 'aababc');
  assert.equal(decoder.isWhole, true);
  assert.equal(decoder.decode(Buffer.from('YQ'))!.length, 0);
  assert.equal(decoder.isWhole, false);
});
