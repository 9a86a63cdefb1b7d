// Packets of the MySQL protocol that a heartbeat needs: the handshake of the server, the login, and one row of an answer.
// Malformed ones throw RangeError, which the dialogue takes for the endpoint's fault. Pure. Thread: main.

import { constants, createHash, publicEncrypt } from 'node:crypto';

/** Length and sequence number. */
const HEADER_BYTES = 4;

export interface MysqlPacket {
  readonly sequence: number;
  readonly body: Buffer;
  /** With its header. */
  readonly size: number;
}

/** The first packet; null where it isn't whole. */
export function packetIn(bytes: Buffer): MysqlPacket | null {
  if (bytes.length < HEADER_BYTES) return null;
  const size = HEADER_BYTES + bytes.readUIntLE(0, 3);
  if (bytes.length < size) return null;
  return { sequence: bytes[3]!, body: bytes.subarray(HEADER_BYTES, size), size };
}

export function packetOf(sequence: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUIntLE(body.length, 0, 3);
  head[3] = sequence & 0xff;
  return Buffer.concat([head, body]);
}

/** Capabilities of the client: LONG_PASSWORD, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH. */
const CAPABILITIES = 0x1 | 0x200 | 0x8000 | 0x80000;
const UTF8MB4 = 45;
const MAX_PACKET = 65_536;

export interface Handshake {
  readonly version: string;
  /** 20 bytes. */
  readonly nonce: Buffer;
  readonly plugin: string;
}

/** The first packet of a server: protocol version 10. */
export function readHandshake(body: Buffer): Handshake | null {
  if (body[0] !== 10) return null;
  const end = body.indexOf(0, 1);
  if (end < 0) return null;
  const version = body.toString('latin1', 1, end);
  // Connection id (4), first part of the nonce (8), zero, capabilities (2), charset, status (2), capabilities (2).
  const first = end + 1 + 4;
  const after = first + 8 + 1 + 2 + 1 + 2 + 2;
  const length = Math.max(13, body.readUInt8(after) - 8);
  const second = after + 1 + 10;
  const nonce = Buffer.concat([body.subarray(first, first + 8), body.subarray(second, second + Math.min(12, length))]);
  const plugin = textUpToZero(body, second + length);
  return nonce.length === 20 ? { version, nonce, plugin: plugin === '' ? NATIVE : plugin } : null;
}

function textUpToZero(body: Buffer, start: number): string {
  const end = body.indexOf(0, start);
  return body.toString('latin1', start, end < 0 ? body.length : end);
}

const NATIVE = 'mysql_native_password';
const CACHING_SHA2 = 'caching_sha2_password';

/** HandshakeResponse41. */
export function loginBody(user: string, plugin: string, proof: Uint8Array): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(CAPABILITIES, 0);
  head.writeUInt32LE(MAX_PACKET, 4);
  head[8] = UTF8MB4;
  const names = [Buffer.from(`${user}\0`), Buffer.from([proof.length]), proof, Buffer.from(`${plugin}\0`)];
  return Buffer.concat([head, ...names]);
}

/** The proof that a plugin expects; null for a plugin that heartbeats don't have. */
export function proofOf(plugin: string, password: string, nonce: Buffer): Buffer | null {
  if (plugin !== NATIVE && plugin !== CACHING_SHA2) return null;
  if (password === '') return Buffer.alloc(0);
  const algorithm = plugin === NATIVE ? 'sha1' : 'sha256';
  const hash = (...parts: Uint8Array[]): Buffer => {
    const state = createHash(algorithm);
    for (const part of parts) state.update(part);
    return state.digest();
  };
  const once = hash(Buffer.from(password));
  const twice = hash(once);
  return xor(once, plugin === NATIVE ? hash(nonce, twice) : hash(twice, nonce));
}

/** The password for the full authentication of caching_sha2_password, by the server's RSA key (PEM). */
export function encryptedPassword(password: string, nonce: Buffer, key: Buffer): Buffer {
  const plain = Buffer.from(`${password}\0`);
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return publicEncrypt({ key, padding }, xor(plain, nonce));
}

function xor(bytes: Buffer, key: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, at) => byte ^ key[at % key.length]!));
}

/** AuthSwitchRequest: another plugin and nonce. */
export function readSwitch(body: Buffer): { plugin: string; nonce: Buffer } {
  const plugin = textUpToZero(body, 1);
  const start = 1 + plugin.length + 1;
  return { plugin, nonce: body.subarray(start, start + 20) };
}

/** Code and message of an ERR packet. */
export function errorText(body: Buffer): string {
  const code = body.readUInt16LE(1);
  const text = body.toString('utf8', 3).replace(/^#.{5}/, '');
  return `${text.slice(0, 120)} (${code})`;
}
