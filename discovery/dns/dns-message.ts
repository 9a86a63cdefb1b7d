// The codec of DNS messages (RFC 1035 section 4): queries to bytes, bytes to answers. Every length and count is checked
// before use, names are bounded, and compression pointers lead strictly backwards, so that no message loops or allocates
// more than its size allows. Thread: main.

import { SocketAddress } from 'node:net';

/** Types that are read; records of others are skipped. */
export const RECORD_TYPE = { A: 1, CNAME: 5, SOA: 6, AAAA: 28, SRV: 33, OPT: 41 } as const;
export type QueryType = 'A' | 'AAAA' | 'SRV';

/** Response codes with a meaning of their own (RFC 1035 section 4.1.1). */
export const RESPONSE_CODE = { ok: 0, serverFailure: 2, noSuchName: 3, refused: 5 } as const;

const CLASS_IN = 1;
const HEADER_BYTES = 12;
/** RFC 1035 section 3.1. */
const LONGEST_NAME = 255;
const LONGEST_LABEL = 63;
/** Records of one message that are read: 1,000 SRV records come with as many addresses. */
const MOST_RECORDS = 4_096;
/** UDP payload that we accept: fits every path without fragments (RFC 9715). */
const UDP_BYTES = 1_232;
const FLAG_RESPONSE = 0x8000;
const FLAG_TRUNCATED = 0x0200;
const FLAG_RECURSE = 0x0100;
const CODE_MASK = 0x000f;

export interface AddressRecord {
  readonly type: 'A' | 'AAAA';
  readonly address: string;
}

export interface ServiceRecord {
  readonly type: 'SRV';
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

/** A record with the data of its type. `ttlS` is in seconds. */
export type DnsRecord = { readonly name: string; readonly ttlS: number } & (
  | AddressRecord
  | ServiceRecord
  | { readonly type: 'CNAME'; readonly target: string }
  /** `minimumS` bounds the time of a negative answer (RFC 2308 section 5). */
  | { readonly type: 'SOA'; readonly minimumS: number }
);

/** A response. Names are in lower case and have no final dot. */
export interface DnsResponse {
  readonly id: number;
  readonly code: number;
  readonly isTruncated: boolean;
  readonly question: { readonly name: string; readonly type: number };
  readonly answers: readonly DnsRecord[];
  readonly authority: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
}

/** The bytes of a query; null for a name that has no form on the wire. */
export function encodeQuery(id: number, name: string, type: QueryType): Uint8Array | null {
  const labels = name.split('.');
  const isWrong = labels.some((label) => label.length === 0 || label.length > LONGEST_LABEL || !isPlain(label));
  if (isWrong || name.length > LONGEST_NAME - 2) return null;
  const bytes: number[] = [];
  const word = (value: number): void => void bytes.push(value >> 8, value & 0xff);
  for (const value of [id, FLAG_RECURSE, 1, 0, 0, 1]) word(value);
  for (const label of labels) bytes.push(label.length, ...Buffer.from(label, 'latin1'));
  bytes.push(0);
  word(RECORD_TYPE[type]);
  word(CLASS_IN);
  // EDNS (RFC 6891 section 6.1.2): the root name, OPT, our UDP size, no extended code or flags, no data.
  bytes.push(0);
  for (const value of [RECORD_TYPE.OPT, UDP_BYTES, 0, 0, 0]) word(value);
  return Uint8Array.from(bytes);
}

/** Reads a response; null for bytes that aren't one: malformed, a query, or without exactly one question. */
export function decodeResponse(bytes: Uint8Array): DnsResponse | null {
  try {
    return new MessageReader(bytes).read();
  } catch (error) {
    if (error instanceof MalformedMessage) return null;
    throw error;
  }
}

class MalformedMessage extends Error {}

class MessageReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #records = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  read(): DnsResponse {
    if (this.#bytes.length < HEADER_BYTES) throw new MalformedMessage();
    const id = this.#word();
    const flags = this.#word();
    const [questions, answers, authority, additional] = [this.#word(), this.#word(), this.#word(), this.#word()];
    if ((flags & FLAG_RESPONSE) === 0 || questions !== 1) throw new MalformedMessage();
    const name = this.#name();
    const type = this.#word();
    if (this.#word() !== CLASS_IN) throw new MalformedMessage();
    const common = {
      id,
      code: flags & CODE_MASK,
      isTruncated: (flags & FLAG_TRUNCATED) !== 0,
      question: { name, type },
    };
    // A truncated message may end within a record (RFC 2181 section 9): it is asked for again over TCP.
    if (common.isTruncated) return { ...common, answers: [], authority: [], additional: [] };
    return {
      ...common,
      answers: this.#section(answers),
      authority: this.#section(authority),
      additional: this.#section(additional),
    };
  }

  #section(count: number): DnsRecord[] {
    const records: DnsRecord[] = [];
    for (let index = 0; index < count; index++) {
      if (++this.#records > MOST_RECORDS) throw new MalformedMessage();
      const record = this.#record();
      if (record !== null) records.push(record);
    }
    return records;
  }

  #record(): DnsRecord | null {
    const name = this.#name();
    const type = this.#word();
    const isInternet = this.#word() === CLASS_IN;
    const seconds = this.#long();
    const end = this.#word() + this.#at;
    if (end > this.#bytes.length) throw new MalformedMessage();
    // RFC 2181 section 8: a TTL with the highest bit set is zero.
    const record = isInternet ? this.#data(name, type, seconds >= 2 ** 31 ? 0 : seconds, end) : null;
    if (record !== null && this.#at !== end) throw new MalformedMessage();
    this.#at = end;
    return record;
  }

  #data(name: string, type: number, ttlS: number, end: number): DnsRecord | null {
    switch (type) {
      case RECORD_TYPE.A:
        return { name, ttlS, type: 'A', address: this.#address4(end) };
      case RECORD_TYPE.AAAA:
        return { name, ttlS, type: 'AAAA', address: this.#address6(end) };
      case RECORD_TYPE.CNAME:
        return { name, ttlS, type: 'CNAME', target: this.#name() };
      case RECORD_TYPE.SRV: {
        const [priority, weight, port] = [this.#word(), this.#word(), this.#word()];
        return { name, ttlS, type: 'SRV', priority, weight, port, target: this.#name() };
      }
      case RECORD_TYPE.SOA: {
        this.#name();
        this.#name();
        for (let field = 0; field < 4; field++) this.#long();
        return { name, ttlS, type: 'SOA', minimumS: this.#long() };
      }
      default:
        return null;
    }
  }

  #address4(end: number): string {
    if (end - this.#at !== 4) throw new MalformedMessage();
    const address = this.#bytes.subarray(this.#at, end).join('.');
    this.#at = end;
    return address;
  }

  /** In the short form of RFC 5952. */
  #address6(end: number): string {
    if (end - this.#at !== 16) throw new MalformedMessage();
    const groups: string[] = [];
    while (this.#at < end) groups.push(this.#word().toString(16));
    return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
  }

  /** A name with compression (RFC 1035 section 4.1.4). A pointer must lead before the part that holds it: no loops. */
  #name(): string {
    const labels: string[] = [];
    let length = 0;
    let at = this.#at;
    let before = at;
    let next = -1;
    for (;;) {
      const size = this.#byte(at);
      if (size === 0) break;
      if (size >= 0xc0) {
        const target = ((size & 0x3f) << 8) | this.#byte(at + 1);
        if (target >= before) throw new MalformedMessage();
        if (next < 0) next = at + 2;
        before = target;
        at = target;
        continue;
      }
      length += size + 1;
      if (size > LONGEST_LABEL || length >= LONGEST_NAME) throw new MalformedMessage();
      labels.push(this.#label(at + 1, size));
      at += size + 1;
    }
    this.#at = next < 0 ? at + 1 : next;
    return labels.join('.');
  }

  /** Lower case. Bytes that would mean something else in a text are refused: a dot, spaces, control characters. */
  #label(begin: number, size: number): string {
    if (begin + size > this.#bytes.length) throw new MalformedMessage();
    const label = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + begin, size).toString('latin1');
    if (!isPlain(label) || label.includes('.')) throw new MalformedMessage();
    return label.toLowerCase();
  }

  #byte(at: number): number {
    const value = this.#bytes[at];
    if (value === undefined) throw new MalformedMessage();
    return value;
  }

  #word(): number {
    if (this.#at + 2 > this.#bytes.length) throw new MalformedMessage();
    const value = this.#view.getUint16(this.#at);
    this.#at += 2;
    return value;
  }

  #long(): number {
    if (this.#at + 4 > this.#bytes.length) throw new MalformedMessage();
    const value = this.#view.getUint32(this.#at);
    this.#at += 4;
    return value;
  }
}

/** Whether a label has printable ASCII characters alone. */
function isPlain(label: string): boolean {
  return /^[\x21-\x7e]+$/.test(label);
}
