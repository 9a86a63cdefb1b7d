// The ClientHello of TLS (RFC 8446 section 4.1.2), as far as a server must know it before it chooses a certificate: server
// name, protocols, and the key of the ticket that the client presents. Thread: worker.

import { HeldBytes } from '../../wire/held-bytes.ts';

/** A whole ClientHello. */
export interface ClientHello {
  /** Lower case, without a final dot; '' where the client names none. */
  readonly serverName: string;
  /** Offered by ALPN (RFC 7301), in the client's order. */
  readonly protocols: readonly string[];
  /** Name of the key that encrypted the first ticket (RFC 5077 section 4); null without one. */
  readonly ticketKeyName: Buffer | null;
}

/** 'incomplete' until more bytes arrive; 'malformed' for TLS whose alert is OpenSSL's business; 'not-tls'. */
export type HelloOutcome = ClientHello | 'incomplete' | 'malformed' | 'not-tls';

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const RECORD_HEADER_BYTES = 5;
const MESSAGE_HEADER_BYTES = 4;
/** Of plaintext in a record (RFC 8446 section 5.1). */
const LARGEST_RECORD_BYTES = 16_384;
/** OpenSSL refuses larger ones, too. */
const LARGEST_HELLO_BYTES = 16_384;
const RANDOM_BYTES = 32;
export const TICKET_KEY_NAME_BYTES = 16;

const EXTENSION = { serverName: 0, protocols: 16, ticket: 35, preSharedKey: 41 } as const;

/** Parses the ClientHello of a connection as its bytes arrive: the cost is linear in them, however they are split. */
export class ClientHelloParser {
  /** The handshake message, which may span records. */
  readonly #message = new HeldBytes();
  /** See messageBytes. */
  #messageBytes = 0;
  #records = 0;
  /** Received bytes of a record's header; 0 within its payload. */
  #headerBytes = 0;
  /** Of the header, as one number: the lower two bytes of a whole one are the size of the payload. */
  #header = 0;
  /** Payload of the record that has not arrived yet. */
  #payloadBytes = 0;

  /** @param bytes those behind the ones of earlier calls, from the first byte of the connection on */
  push(bytes: Buffer): HelloOutcome {
    for (let at = 0; at < bytes.length; ) {
      if (this.#payloadBytes === 0) {
        const fault = this.#addToHeader(bytes[at]!);
        if (fault !== null) return fault;
        at += 1;
        continue;
      }
      const end = Math.min(bytes.length, at + this.#payloadBytes);
      this.#message.addCopy(bytes, at, end);
      this.#payloadBytes -= end - at;
      at = end;
      const outcome = this.#outcome();
      if (outcome !== 'incomplete') return outcome;
    }
    return 'incomplete';
  }

  #addToHeader(byte: number): 'malformed' | 'not-tls' | null {
    const at = this.#headerBytes;
    if ((at === 0 && byte !== HANDSHAKE_RECORD) || (at === 1 && byte !== 3)) {
      return this.#records === 0 ? 'not-tls' : 'malformed';
    }
    this.#header = (this.#header << 8) | byte;
    this.#headerBytes += 1;
    if (this.#headerBytes < RECORD_HEADER_BYTES) return null;
    this.#records += 1;
    this.#headerBytes = 0;
    this.#payloadBytes = this.#header & 0xff_ff;
    return this.#payloadBytes === 0 || this.#payloadBytes > LARGEST_RECORD_BYTES ? 'malformed' : null;
  }

  #outcome(): HelloOutcome {
    const { bytes, start, end, length } = this.#message;
    if (this.#messageBytes === 0) this.#messageBytes = messageBytes(bytes.subarray(start, end));
    const neededBytes = this.#messageBytes;
    if (neededBytes < 0 || neededBytes > LARGEST_HELLO_BYTES) return 'malformed';
    if (neededBytes === 0 || length < neededBytes) return 'incomplete';
    return parseHello(bytes.subarray(start + MESSAGE_HEADER_BYTES, start + neededBytes));
  }
}

function parseHello(message: Buffer): ClientHello | 'malformed' {
  try {
    return readHello(new ByteReader(message));
  } catch (error) {
    if (error instanceof RangeError) return 'malformed';
    throw error;
  }
}

/** Size of the message that begins here, with its header; 0 where too little of it is known, -1 for another message. */
function messageBytes(bytes: Buffer): number {
  if (bytes.length > 0 && bytes[0] !== CLIENT_HELLO) return -1;
  return bytes.length < MESSAGE_HEADER_BYTES ? 0 : MESSAGE_HEADER_BYTES + bytes.readUIntBE(1, 3);
}

/** @throws RangeError where a length exceeds the message */
function readHello(hello: ByteReader): ClientHello {
  hello.skip(2 + RANDOM_BYTES);
  hello.skip(hello.uint8());
  hello.skip(hello.uint16());
  hello.skip(hello.uint8());
  let serverName = '';
  let protocols: readonly string[] = [];
  let ticketKeyName: Buffer | null = null;
  const extensions = new ByteReader(hello.isAtEnd ? Buffer.alloc(0) : hello.take(hello.uint16()));
  while (!extensions.isAtEnd) {
    const type = extensions.uint16();
    const content = new ByteReader(extensions.take(extensions.uint16()));
    if (type === EXTENSION.serverName) serverName = readServerName(content);
    else if (type === EXTENSION.protocols) protocols = readProtocols(content);
    else if (type === EXTENSION.ticket) ticketKeyName ??= keyNameOf(content.rest());
    else if (type === EXTENSION.preSharedKey) ticketKeyName = keyNameOf(firstIdentity(content));
  }
  return { serverName, protocols, ticketKeyName };
}

/** RFC 6066 section 3: a list in which only host names (type 0) are defined. An empty extension names nothing. */
function readServerName(content: ByteReader): string {
  if (content.isAtEnd) return '';
  const names = new ByteReader(content.take(content.uint16()));
  while (!names.isAtEnd) {
    const type = names.uint8();
    const name = names.take(names.uint16());
    if (type === 0) return name.toString('latin1').toLowerCase().replace(/\.$/, '');
  }
  return '';
}

function readProtocols(content: ByteReader): string[] {
  const list = new ByteReader(content.take(content.uint16()));
  const protocols: string[] = [];
  while (!list.isAtEnd) protocols.push(list.take(list.uint8()).toString('latin1'));
  return protocols;
}

/** RFC 8446 section 4.2.11. */
function firstIdentity(content: ByteReader): Buffer {
  const identities = new ByteReader(content.take(content.uint16()));
  return identities.isAtEnd ? Buffer.alloc(0) : identities.take(identities.uint16());
}

function keyNameOf(ticket: Buffer): Buffer | null {
  return ticket.length < TICKET_KEY_NAME_BYTES ? null : ticket.subarray(0, TICKET_KEY_NAME_BYTES);
}

/** Reads numbers and vectors in turn; every method throws RangeError beyond the end. */
class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#advance(2));
  }

  skip(count: number): void {
    this.#advance(count);
  }

  take(count: number): Buffer {
    const start = this.#advance(count);
    return this.#bytes.subarray(start, start + count);
  }

  rest(): Buffer {
    return this.take(this.#bytes.length - this.#at);
  }

  #advance(count: number): number {
    const start = this.#at;
    if (start + count > this.#bytes.length) throw new RangeError('a length exceeds the message');
    this.#at += count;
    return start;
  }
}
