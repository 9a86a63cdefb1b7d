// Version 2 of the PROXY protocol: a binary header with addresses and TLVs (section 2.2). Thread: both.

import { formatAddress, unmapAddress } from '../../core/address.ts';
import { decodeTlvs, NO_TLVS } from './decode-tlvs.ts';
import {
  Command,
  type DecodedProxyHeader,
  Family,
  FIXED_BYTES,
  type ProxiedAddresses,
  SIGNATURE,
  UNIX_PATH_BYTES,
} from './header.ts';

/**
 * Limit of a whole header. The protocol allows 65,551 bytes; HAProxy reads at most its buffer of 16 KiB. That leaves room for
 * a client certificate, and bounds what an unfinished header holds.
 */
const MAX_HEADER_BYTES = 16_384;

/** Bytes of both addresses with their ports, by family. A shorter header is malformed. */
const ADDRESS_BYTES: Readonly<Record<number, number>> = {
  [Family.UNSPEC]: 0,
  [Family.TCP4]: 12,
  [Family.UDP4]: 12,
  [Family.TCP6]: 36,
  [Family.UDP6]: 36,
  [Family.UNIX_STREAM]: 2 * UNIX_PATH_BYTES,
  [Family.UNIX_DGRAM]: 2 * UNIX_PATH_BYTES,
};

const words = new Uint32Array(4);

export function decodeVersion2(received: Buffer): DecodedProxyHeader {
  const { length } = received;
  for (let at = 0; at < Math.min(length, SIGNATURE.length); at += 1) {
    if (received[at] !== SIGNATURE[at]) return refused('no PROXY protocol header');
  }
  // Each check as soon as its byte is there: a sender that is wrong is not waited for.
  if (length > 12 && received[12]! >>> 4 !== 2) return refused(`unknown version ${received[12]! >>> 4}`);
  if (length > 12 && (received[12]! & 15) > Command.PROXY) return refused(`unknown command ${received[12]! & 15}`);
  if (length < FIXED_BYTES) return { kind: 'incomplete' };
  const sizeBytes = FIXED_BYTES + received.readUInt16BE(14);
  if (sizeBytes > MAX_HEADER_BYTES) return refused(`header of ${sizeBytes} bytes, more than ${MAX_HEADER_BYTES}`);
  if (length < sizeBytes) return { kind: 'incomplete' };
  return decodeWhole(received.subarray(0, sizeBytes));
}

function decodeWhole(header: Buffer): DecodedProxyHeader {
  const sizeBytes = header.length;
  // A receiver must accept LOCAL, and discard everything behind the command, the family included.
  if ((header[12]! & 15) === Command.LOCAL) {
    return { kind: 'complete', header: { version: 2, isLocal: true, addresses: null, ...NO_TLVS }, sizeBytes };
  }
  const family = header[13]!;
  const addressBytes = ADDRESS_BYTES[family];
  if (addressBytes === undefined) return refused(`unknown family 0x${family.toString(16).padStart(2, '0')}`);
  if (sizeBytes < FIXED_BYTES + addressBytes) return refused('header too short for its addresses');
  const tlvs = decodeTlvs(header, FIXED_BYTES + addressBytes);
  if (typeof tlvs === 'string') return refused(tlvs);
  const addresses = addressBytes === 0 ? null : addressesOf(header, addressBytes);
  return { kind: 'complete', header: { version: 2, isLocal: false, addresses, ...tlvs }, sizeBytes };
}

function addressesOf(header: Buffer, addressBytes: number): ProxiedAddresses {
  const at = FIXED_BYTES;
  if (addressBytes === 2 * UNIX_PATH_BYTES) {
    const destination = pathAt(header, at + UNIX_PATH_BYTES);
    return { kind: 'unix', source: pathAt(header, at), sourcePort: 0, destination, destinationPort: 0 };
  }
  const size = (addressBytes - 4) / 2;
  return {
    kind: 'ip',
    source: addressAt(header, at, size),
    destination: addressAt(header, at + size, size),
    sourcePort: header.readUInt16BE(at + 2 * size),
    destinationPort: header.readUInt16BE(at + 2 * size + 2),
  };
}

function addressAt(header: Buffer, at: number, size: number): string {
  for (let word = 0; word < size / 4; word += 1) words[word] = header.readUInt32BE(at + word * 4);
  return formatAddress(size === 4 ? 4 : unmapAddress(words), words);
}

/** Up to the first zero. An abstract socket (a zero first) has no text. */
function pathAt(header: Buffer, at: number): string {
  const path = header.subarray(at, at + UNIX_PATH_BYTES);
  const end = path.indexOf(0);
  return path.toString('utf8', 0, end < 0 ? path.length : end);
}

function refused(cause: string): DecodedProxyHeader {
  return { kind: 'refused', cause };
}
