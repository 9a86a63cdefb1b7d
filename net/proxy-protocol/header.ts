// PROXY protocol headers as data, and the numbers of version 2. The protocol is HAProxy's proxy-protocol.txt (2020/03/05, with
// the TLV types added up to 2025). Thread: both.

/** Ends of the connection that a header describes. */
export interface ProxiedAddresses {
  /** `unix`: both addresses are paths of sockets, '' for an unnamed one, and both ports are 0. */
  readonly kind: 'ip' | 'unix';
  /** Text as `plainAddress` writes it: an IPv4-mapped IPv6 address is written as IPv4. */
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
}

/** TLS of the client's connection (PP2_TYPE_SSL). */
export interface ProxiedTls {
  /** Whether the client connected over TLS (PP2_CLIENT_SSL). Without, the other members have no meaning. */
  readonly isTls: boolean;
  /** As OpenSSL names it: `TLSv1.3`; '' where the header doesn't name it. */
  readonly version: string;
  /** Cipher suite as OpenSSL names it; ''. */
  readonly cipher: string;
  /** Common name of the client's certificate; ''. */
  readonly commonName: string;
  /** Whether the client sent a certificate in this session (PP2_CLIENT_CERT_CONN, or _SESS for a resumed session). */
  readonly hasCertificate: boolean;
  /** Whether the certificate was verified. */
  readonly isVerified: boolean;
}

/** A header. Absent values are '' or null. */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /** LOCAL: the sender's own connection, such as a health check. */
  readonly isLocal: boolean;
  /** Null for LOCAL, UNKNOWN and UNSPEC: the ends of the connection itself apply. */
  readonly addresses: ProxiedAddresses | null;
  /** Application protocol of the client's connection (ALPN): `h2`. One character stands for one byte. */
  readonly alpn: string;
  /** Host name that the client requested, the server name of its TLS handshake. */
  readonly authority: string;
  /** Identifies the connection, through several proxies. One character stands for one byte: it need not be text. */
  readonly uniqueId: string;
  readonly tls: ProxiedTls | null;
}

export type DecodedProxyHeader =
  /** The bytes are the start of a header: call again with more. */
  | { readonly kind: 'incomplete' }
  /** The bytes are no header, or a malformed one: close the connection (section 2). */
  | { readonly kind: 'refused'; readonly cause: string }
  /** The first `sizeBytes` bytes are the header. */
  | { readonly kind: 'complete'; readonly header: ProxyHeader; readonly sizeBytes: number };

/** First bytes of version 2: no text protocol begins so. */
export const SIGNATURE: Uint8Array = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10);

/** Signature, version and command, family, length. */
export const FIXED_BYTES = 16;

export const Command = { LOCAL: 0, PROXY: 1 } as const;

/** Address family and transport. Other values are unassigned: a receiver must refuse them (section 2.2). */
export const Family = {
  UNSPEC: 0x00,
  TCP4: 0x11,
  UDP4: 0x12,
  TCP6: 0x21,
  UDP6: 0x22,
  UNIX_STREAM: 0x31,
  UNIX_DGRAM: 0x32,
} as const;

/** Bytes of one Unix path, padded with zeros. */
export const UNIX_PATH_BYTES = 108;

/** Types of TLVs (section 2.2.1 to 2.2.9). */
export const Tlv = {
  ALPN: 0x01,
  AUTHORITY: 0x02,
  CRC32C: 0x03,
  NOOP: 0x04,
  UNIQUE_ID: 0x05,
  SSL: 0x20,
  SSL_VERSION: 0x21,
  SSL_CN: 0x22,
  SSL_CIPHER: 0x23,
  NETNS: 0x30,
} as const;

/** Bits of the first byte of PP2_TYPE_SSL. */
export const SslBit = { SSL: 0x01, CERT_CONN: 0x02, CERT_SESS: 0x04 } as const;

/** Section 2.2.6. */
export const MAX_UNIQUE_ID_BYTES = 128;
