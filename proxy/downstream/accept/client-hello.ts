// The ClientHello of TLS (RFC 8446 section 4.1.2), as far as a server must know it before it chooses a certificate: server
// name, protocols, and the key of the ticket that the client presents. Thread: worker.

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

/** Parses what has been received of a connection. @param bytes from its first byte on */
export function readClientHello(bytes: Buffer): HelloOutcome {
  const message = readMessage(bytes);
  if (!Buffer.isBuffer(message)) return message;
  try {
    return readHello(new ByteReader(message));
  } catch (error) {
    if (error instanceof RangeError) return 'malformed';
    throw error;
  }
}

/** The first handshake message, which may span records, without its header. */
function readMessage(bytes: Buffer): Buffer | 'incomplete' | 'malformed' | 'not-tls' {
  const parts: Buffer[] = [];
  let size = 0;
  for (let at = 0; ; ) {
    if (bytes.length > at && bytes[at] !== HANDSHAKE_RECORD) return at === 0 ? 'not-tls' : 'malformed';
    if (bytes.length > at + 1 && bytes[at + 1] !== 3) return at === 0 ? 'not-tls' : 'malformed';
    if (bytes.length < at + RECORD_HEADER_BYTES) return 'incomplete';
    const recordBytes = bytes.readUInt16BE(at + 3);
    if (recordBytes === 0 || recordBytes > LARGEST_RECORD_BYTES) return 'malformed';
    const record = bytes.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + recordBytes);
    parts.push(record);
    size += record.length;
    const whole = parts.length === 1 ? record : Buffer.concat(parts, size);
    const neededBytes = messageBytes(whole);
    if (neededBytes < 0 || neededBytes > LARGEST_HELLO_BYTES) return 'malformed';
    if (neededBytes > 0 && size >= neededBytes) return whole.subarray(MESSAGE_HEADER_BYTES, neededBytes);
    if (record.length < recordBytes) return 'incomplete';
    at += RECORD_HEADER_BYTES + recordBytes;
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
