// Encodes PROXY protocol headers of both versions. Pure: no socket. Thread: both.

import { formatAddress, mapAddress, readAddress } from '../../core/address.ts';
import { crc32c } from './crc32c.ts';
import {
  Command,
  Family,
  FIXED_BYTES,
  MAX_UNIQUE_ID_BYTES,
  type ProxiedAddresses,
  type ProxiedTls,
  type ProxyHeader,
  SIGNATURE,
  SslBit,
  Tlv,
  UNIX_PATH_BYTES,
} from './header.ts';

/** A header of version 2 to be sent. Without an address the family is UNSPEC. Values of '' and null are left out. */
export interface ProxyHeaderV2 extends Omit<ProxyHeader, 'version'> {
  /** Whether a checksum (CRC32C) is added. */
  readonly hasChecksum: boolean;
}

/** For connections that carry no client's traffic, such as heartbeats. */
export const LOCAL_HEADER: ProxyHeaderV2 = {
  isLocal: true,
  addresses: null,
  alpn: '',
  authority: '',
  uniqueId: '',
  tls: null,
  hasChecksum: false,
};

const UNKNOWN = Buffer.from('PROXY UNKNOWN\r\n', 'latin1');

const TLV_HEAD_BYTES = 3;
/** Longest value of a text TLV, so that the whole header stays within 16 KiB; a host name has at most 255 bytes. */
const MAX_TEXT_BYTES = 1024;

const source = new Uint32Array(4);
const destination = new Uint32Array(4);

/** Both addresses in one family, in `source` and `destination`; 0 where one of them is none. */
function readAddresses(addresses: ProxiedAddresses): 4 | 6 | 0 {
  const first = readAddress(addresses.source, source);
  const second = readAddress(addresses.destination, destination);
  if (first === 0 || second === 0) return 0;
  if (first === second) return first;
  mapAddress(first === 4 ? source : destination);
  return 6;
}

/** A header of version 1; UNKNOWN without IP addresses. An IPv4 address beside an IPv6 address is IPv4-mapped. */
export function encodeProxyV1(addresses: ProxiedAddresses | null): Buffer {
  const version = addresses === null || addresses.kind === 'unix' ? 0 : readAddresses(addresses);
  if (addresses === null || version === 0) return UNKNOWN;
  const ends = `${formatAddress(version, source)} ${formatAddress(version, destination)}`;
  const ports = `${addresses.sourcePort} ${addresses.destinationPort}`;
  return Buffer.from(`PROXY TCP${version} ${ends} ${ports}\r\n`, 'latin1');
}

/** A header of version 2. */
export function encodeProxyV2(header: ProxyHeaderV2): Buffer {
  const [family, addressBytes] = addressPart(header.isLocal ? null : header.addresses);
  const tlvs = header.isLocal ? [] : tlvsOf(header);
  const fixed = Buffer.alloc(FIXED_BYTES);
  fixed.set(SIGNATURE);
  fixed[12] = 0x20 | (header.isLocal ? Command.LOCAL : Command.PROXY);
  fixed[13] = family;
  if (header.hasChecksum) tlvs.push(tlvOf(Tlv.CRC32C, Buffer.alloc(4)));
  const whole = Buffer.concat([fixed, addressBytes, ...tlvs]);
  whole.writeUInt16BE(whole.length - FIXED_BYTES, 14);
  if (header.hasChecksum) whole.writeUInt32BE(crc32c(whole, 0, whole.length), whole.length - 4);
  return whole;
}

function addressPart(addresses: ProxiedAddresses | null): [family: number, bytes: Buffer] {
  if (addresses === null) return [Family.UNSPEC, Buffer.alloc(0)];
  if (addresses.kind === 'unix') return [Family.UNIX_STREAM, unixPart(addresses)];
  const version = readAddresses(addresses);
  if (version === 0) return [Family.UNSPEC, Buffer.alloc(0)];
  const size = version === 4 ? 4 : 16;
  const bytes = Buffer.alloc(2 * size + 4);
  for (let word = 0; word < size / 4; word += 1) {
    bytes.writeUInt32BE(source[word]!, word * 4);
    bytes.writeUInt32BE(destination[word]!, size + word * 4);
  }
  bytes.writeUInt16BE(addresses.sourcePort, 2 * size);
  bytes.writeUInt16BE(addresses.destinationPort, 2 * size + 2);
  return [version === 4 ? Family.TCP4 : Family.TCP6, bytes];
}

function unixPart(addresses: ProxiedAddresses): Buffer {
  const bytes = Buffer.alloc(2 * UNIX_PATH_BYTES);
  bytes.write(addresses.source, 0, UNIX_PATH_BYTES, 'utf8');
  bytes.write(addresses.destination, UNIX_PATH_BYTES, UNIX_PATH_BYTES, 'utf8');
  return bytes;
}

function tlvsOf({ alpn, authority, uniqueId, tls }: ProxyHeaderV2): Buffer[] {
  const tlvs = valueTlv(Tlv.ALPN, Buffer.from(alpn, 'latin1'), MAX_TEXT_BYTES);
  tlvs.push(...textTlv(Tlv.AUTHORITY, authority));
  tlvs.push(...valueTlv(Tlv.UNIQUE_ID, Buffer.from(uniqueId, 'latin1'), MAX_UNIQUE_ID_BYTES));
  if (tls !== null) tlvs.push(tlvOf(Tlv.SSL, sslPart(tls)));
  return tlvs;
}

function sslPart(tls: ProxiedTls): Buffer {
  const head = Buffer.alloc(5);
  head[0] = (tls.isTls ? SslBit.SSL : 0) | (tls.hasCertificate ? SslBit.CERT_CONN | SslBit.CERT_SESS : 0);
  // Zero means verified; without a certificate too, as OpenSSL reports it.
  head.writeUInt32BE(tls.hasCertificate && !tls.isVerified ? 1 : 0, 1);
  const { version, commonName, cipher } = tls;
  const texts = [textTlv(Tlv.SSL_VERSION, version), textTlv(Tlv.SSL_CN, commonName), textTlv(Tlv.SSL_CIPHER, cipher)];
  return Buffer.concat([head, ...texts.flat()]);
}

function textTlv(type: number, text: string): Buffer[] {
  return valueTlv(type, Buffer.from(text, 'utf8'), MAX_TEXT_BYTES);
}

/** None for an empty value, and for one that is too long: a cut value would name something else. */
function valueTlv(type: number, value: Buffer, maxBytes: number): Buffer[] {
  return value.length === 0 || value.length > maxBytes ? [] : [tlvOf(type, value)];
}

function tlvOf(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(TLV_HEAD_BYTES);
  head[0] = type;
  head.writeUInt16BE(value.length, 1);
  return Buffer.concat([head, value]);
}
