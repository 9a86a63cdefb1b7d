// The Cassandra heartbeat: OPTIONS of the native protocol, answered SUPPORTED. Needs no login. Also for ScyllaDB. Thread: main.

import { defineChecker } from './checker.ts';
import { type Dialogue, type DialogueStep, failed, PASSED, runDialogue } from './dialogue-check.ts';

/** Version 4: of Cassandra 2.2 and later. */
const VERSION = 4;
const RESPONSE = 0x80;
const OPCODE = { error: 0x00, options: 0x05, supported: 0x06 } as const;
const HEADER_BYTES = 9;
/** An answer has a few hundred bytes. */
const MAX_BODY_BYTES = 16_384;

export class CassandraDialogue implements Dialogue {
  open(): Uint8Array {
    return Buffer.from([VERSION, 0, 0, 0, OPCODE.options, 0, 0, 0, 0]);
  }

  receive(bytes: Buffer): DialogueStep | null {
    if (bytes.length < HEADER_BYTES) return null;
    const length = bytes.readUInt32BE(5);
    if ((bytes[0]! & RESPONSE) === 0 || length > MAX_BODY_BYTES)
      return { used: 0, result: failed('a malformed answer') };
    if (bytes.length < HEADER_BYTES + length) return null;
    const used = HEADER_BYTES + length;
    const opcode = bytes[4]!;
    if (opcode === OPCODE.supported) return { used, result: PASSED };
    if (opcode !== OPCODE.error) return { used, result: failed(`got opcode ${opcode}`) };
    const size = bytes.readUInt16BE(HEADER_BYTES + 4);
    const start = HEADER_BYTES + 6;
    return { used, result: failed(`got ${bytes.toString('utf8', start, start + Math.min(size, 100))}`) };
  }
}

export const cassandra = defineChecker({
  name: 'cassandra',
  options: () => ({}),
  compile: () => ({}),
  run: (target, done) => runDialogue(target, new CassandraDialogue(), done),
  describe: () => 'Cassandra OPTIONS',
  covers: () => true,
});
