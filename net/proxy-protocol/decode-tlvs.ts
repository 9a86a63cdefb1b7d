// TLVs of a PROXY protocol header of version 2: types, lengths and the checksum (section 2.2). Thread: both.

import { crc32c } from './crc32c.ts';
import { MAX_UNIQUE_ID_BYTES, type ProxiedTls, type ProxyHeader, SslBit, Tlv } from './header.ts';

type TlvValues = Pick<ProxyHeader, 'alpn' | 'authority' | 'uniqueId' | 'tls'>;

export const NO_TLVS: TlvValues = { alpn: '', authority: '', uniqueId: '', tls: null };

/** Type and length before each value. */
const TLV_HEAD_BYTES = 3;
/** Bits and result of the verification, before the TLVs inside PP2_TYPE_SSL. */
const SSL_HEAD_BYTES = 5;

/** Types that stand for one value: a header with two of them can be read in two ways. */
const ONCE: ReadonlySet<number> = new Set([Tlv.ALPN, Tlv.AUTHORITY, Tlv.CRC32C, Tlv.UNIQUE_ID, Tlv.SSL]);

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\x00-\x1f\x7f]/;

/** @returns the values, or the cause why the header is malformed. */
export function decodeTlvs(header: Buffer, start: number): TlvValues | string {
  if (start === header.length) return NO_TLVS;
  const found = findTlvs(header, start, header.length);
  if (typeof found === 'string') return found;
  const checksum = found.get(Tlv.CRC32C);
  if (checksum !== undefined) {
    if (checksum.length !== 4) return 'checksum (CRC32C) that has not 4 bytes';
    const at = checksum.byteOffset - header.byteOffset;
    if (crc32c(header, 0, header.length, at) !== checksum.readUInt32BE(0)) return 'wrong checksum (CRC32C)';
  }
  if ((found.get(Tlv.UNIQUE_ID)?.length ?? 0) > MAX_UNIQUE_ID_BYTES) return 'unique id of more than 128 bytes';
  const ssl = found.get(Tlv.SSL);
  const tls = ssl === undefined ? null : decodeSsl(ssl);
  if (typeof tls === 'string') return tls;
  const authority = textOf(found.get(Tlv.AUTHORITY));
  // A host name that ends up in a log or a field must not begin another line there.
  if (CONTROL.test(authority)) return 'control character in TLV 0x02 (authority)';
  const [alpn, uniqueId] = [found.get(Tlv.ALPN), found.get(Tlv.UNIQUE_ID)];
  return { alpn: textOf(alpn, 'latin1'), authority, uniqueId: textOf(uniqueId, 'latin1'), tls };
}

/** Values by type; of types that may be repeated, or are unknown, the last one. */
function findTlvs(bytes: Buffer, start: number, end: number): Map<number, Buffer> | string {
  const found = new Map<number, Buffer>();
  for (let at = start; at < end; ) {
    if (end - at < TLV_HEAD_BYTES) return 'TLV without its length';
    const type = bytes[at]!;
    const size = bytes.readUInt16BE(at + 1);
    at += TLV_HEAD_BYTES;
    if (size > end - at) return `TLV 0x${type.toString(16).padStart(2, '0')} that is longer than the header`;
    if (found.has(type) && ONCE.has(type)) return `TLV 0x${type.toString(16).padStart(2, '0')} twice`;
    found.set(type, bytes.subarray(at, at + size));
    at += size;
  }
  return found;
}

function decodeSsl(ssl: Buffer): ProxiedTls | string {
  if (ssl.length < SSL_HEAD_BYTES) return 'TLV 0x20 (TLS) of less than 5 bytes';
  const found = findTlvs(ssl, SSL_HEAD_BYTES, ssl.length);
  if (typeof found === 'string') return `${found}, within TLV 0x20 (TLS)`;
  const bits = ssl[0]!;
  const hasCertificate = (bits & (SslBit.CERT_CONN | SslBit.CERT_SESS)) !== 0;
  return {
    isTls: (bits & SslBit.SSL) !== 0,
    version: textOf(found.get(Tlv.SSL_VERSION)),
    cipher: textOf(found.get(Tlv.SSL_CIPHER)),
    commonName: textOf(found.get(Tlv.SSL_CN)),
    hasCertificate,
    // Zero means verified, and also that there was no certificate to verify.
    isVerified: hasCertificate && ssl.readUInt32BE(1) === 0,
  };
}

function textOf(value: Buffer | undefined, encoding: 'utf8' | 'latin1' = 'utf8'): string {
  return value === undefined ? '' : value.toString(encoding);
}
