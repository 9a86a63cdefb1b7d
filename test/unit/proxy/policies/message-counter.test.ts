// Messages in gRPC bodies, in every split. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageCounter } from '../../../../proxy/policies/message-counter.ts';

function message(sizeBytes: number, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(sizeBytes, 1);
  return Buffer.concat([prefix, Buffer.alloc(sizeBytes, 7)]);
}

function counted(bytes: Buffer, size: number): number {
  const counter = new MessageCounter();
  for (let at = 0; at < bytes.length; at += size) counter.add(bytes.subarray(at, at + size));
  return counter.count;
}

test('messages are counted in every split, empty and compressed ones included', () => {
  const bytes = Buffer.concat([message(3), message(0), message(70_000, 1), message(0), message(1)]);
  for (const size of [1, 2, 3, 5, 7, 4096, bytes.length]) assert.equal(counted(bytes, size), 5, `size ${size}`);
});

test('a message counts once its prefix is complete', () => {
  const counter = new MessageCounter();
  counter.add(message(3).subarray(0, 4));
  assert.equal(counter.count, 0);
  counter.add(message(3).subarray(4, 6));
  assert.equal(counter.count, 1);
});

test('a length beyond 2 GiB is not taken for a negative one', () => {
  const counter = new MessageCounter();
  counter.add(Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7]));
  assert.equal(counter.count, 1);
});
