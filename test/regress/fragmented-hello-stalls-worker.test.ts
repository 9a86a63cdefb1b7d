// A ClientHello in records of one byte was copied whole for each of them: 96 KB from one client stalled a worker for
// seconds. The cost of parsing is linear, however the bytes are split. Thread: main.
// Own process: its CPU time is measured.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientHelloParser } from '../../proxy/downstream/accept/client-hello.ts';

/** Thirty milliseconds are usual, and copying takes minutes. */
const MOST_CPU_MS = 3000;

const RECORDS = 16_000;

/** The begin of the largest hello, in records of one byte. */
function fragmented(): Buffer {
  const message = Buffer.alloc(RECORDS);
  message.writeUInt32BE((1 << 24) | 16_380);
  const bytes = Buffer.alloc(RECORDS * 6);
  for (let index = 0; index < RECORDS; index++) bytes.set([22, 3, 1, 0, 1, message[index]!], index * 6);
  return bytes;
}

for (const size of [1, 6, 65_536]) {
  test(`a hello in records of one byte, received in pieces of ${size}, is parsed in linear time`, () => {
    const bytes = fragmented();
    const parser = new ClientHelloParser();
    const before = process.cpuUsage();
    for (let at = 0; at < bytes.length; at += size) {
      assert.equal(parser.push(bytes.subarray(at, at + size)), 'incomplete');
    }
    const { user, system } = process.cpuUsage(before);
    assert.ok((user + system) / 1000 < MOST_CPU_MS, `${(user + system) / 1000} ms of CPU time`);
  });
}
