// The two messages of grpc.health.v1.Health/Check and the frame around them, byte by byte: a dozen bytes are no reason
// for a protobuf library. Pure. Thread: main.

/** Compressed flag and length in front of each message (gRPC over HTTP/2, "Length-Prefixed-Message"). */
const PREFIX_BYTES = 5;

/** Wire types of protobuf that an answer may hold. */
const VARINT = 0;
const FIXED_64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;
/** A number of 64 bits, seven to the byte. */
const VARINT_BYTES = 10;

/** Field 1 of HealthCheckRequest is `string service`, field 1 of HealthCheckResponse the enum `status`. */
const SERVICE_TAG = (1 << 3) | LENGTH_DELIMITED;
const STATUS_FIELD = 1;

/** HealthCheckResponse.ServingStatus by its number. */
export const SERVING_STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

/** The framed request for `service`; '' for the whole endpoint. */
export function encodeCheckRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.of(SERVICE_TAG), varint(name.length), name]);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** The serving status in a framed response; null if it is malformed or compressed, which the request didn't accept. */
export function decodeCheckResponse(bytes: Buffer): number | null {
  if (bytes.length < PREFIX_BYTES || bytes[0] !== 0) return null;
  const message = bytes.subarray(PREFIX_BYTES);
  return bytes.readUInt32BE(1) === message.length ? statusIn(message) : null;
}

/** Reads the fields of a message. The last of several counts, others are skipped, and a missing one is its zero. */
function statusIn(message: Buffer): number | null {
  const reader = { message, at: 0 };
  let status = 0;
  while (reader.at < message.length) {
    const tag = readVarint(reader);
    if (tag === null) return null;
    const isStatus = tag >>> 3 === STATUS_FIELD && (tag & 7) === VARINT;
    const value = readField(reader, tag & 7);
    if (value === null) return null;
    if (isStatus) status = value;
  }
  return status;
}

interface Reader {
  readonly message: Buffer;
  at: number;
}

/** Reads past one field's value. Returns it where it is a number; null where the message ends too early. */
function readField(reader: Reader, wireType: number): number | null {
  if (wireType === VARINT) return readVarint(reader);
  const length = wireType === LENGTH_DELIMITED ? readVarint(reader) : fixedLength(wireType);
  if (length === null || length > reader.message.length - reader.at) return null;
  reader.at += length;
  return 0;
}

function fixedLength(wireType: number): number | null {
  if (wireType === FIXED_32) return 4;
  return wireType === FIXED_64 ? 8 : null;
}

/** The low 32 bits of a number; null for one that doesn't end, or not within ten bytes. */
function readVarint(reader: Reader): number | null {
  let value = 0;
  for (let count = 0; count < VARINT_BYTES; count++) {
    const byte = reader.message[reader.at++];
    if (byte === undefined) return null;
    if (count < 5) value |= (byte & 0x7f) << (7 * count);
    if (byte < 0x80) return value >>> 0;
  }
  return null;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.of(...bytes, rest);
}
