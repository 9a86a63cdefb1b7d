// PROXY protocol headers as bytes: accepted, refused and unfinished ones, each with the rule that it stands for. Used by the
// codec's tests and by those of listeners. Thread: main.

import { crc32c } from '../../net/proxy-protocol/crc32c.ts';

export interface HeaderCase {
  readonly name: string;
  readonly bytes: Buffer;
  /** `client port -> destination port`, `local`, `no address`, or the cause of a refusal. */
  readonly expected: string;
}

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** A version 2 header; its length field counts `rest` unless `length` says otherwise. */
function v2(command: number, family: number, rest: Buffer, length = rest.length): Buffer {
  return Buffer.concat([SIGNATURE, Buffer.of(command, family, length >> 8, length & 255), rest]);
}

function tlv(type: number, value: Buffer | string, length?: number): Buffer {
  const bytes = Buffer.from(value as string);
  const size = length ?? bytes.length;
  return Buffer.concat([Buffer.of(type, size >> 8, size & 255), bytes]);
}

/** 192.0.2.1 port 1000 to 192.0.2.2 port 443. */
const IPV4 = Buffer.of(192, 0, 2, 1, 192, 0, 2, 2, 0x03, 0xe8, 0x01, 0xbb);
const IPV4_TEXT = '192.0.2.1 1000 -> 192.0.2.2 443';
const IPV6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000001', 'hex'),
  Buffer.from('20010db8000000000000000000000002', 'hex'),
  Buffer.of(0xff, 0xff, 0, 0),
]);
const MAPPED = Buffer.concat([
  Buffer.from('00000000000000000000ffffc0000201', 'hex'),
  Buffer.from('00000000000000000000ffffc0000202', 'hex'),
  Buffer.of(0x03, 0xe8, 0x01, 0xbb),
]);
const UNIX = Buffer.concat([Buffer.from('/a/b'.padEnd(108, '\0')), Buffer.from('/c'.padEnd(108, '\0'))]);

/** A header with a checksum, right or wrong by `error`. */
function checked(error = 0): Buffer {
  const header = v2(0x21, 0x11, Buffer.concat([IPV4, tlv(0x02, 'a.example'), tlv(0x03, Buffer.alloc(4))]));
  const at = header.length - 4;
  header.writeUInt32BE((crc32c(header, 0, header.length) ^ error) >>> 0, at);
  return header;
}

function v1(name: string, line: string, expected: string): HeaderCase {
  return { name: `version 1: ${name}`, bytes: Buffer.from(line, 'latin1'), expected };
}

function binary(name: string, bytes: Buffer, expected: string): HeaderCase {
  return { name: `version 2: ${name}`, bytes, expected };
}

/** A version 2 header for TCP over IPv4 with TLVs. */
function withTlvs(name: string, expected: string, ...tlvs: Buffer[]): HeaderCase {
  return binary(name, v2(0x21, 0x11, Buffer.concat([IPV4, ...tlvs])), expected);
}

const LONGEST = `PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535 ${'x'.repeat(48)}`.slice(0, 105);

export const ACCEPTED: readonly HeaderCase[] = [
  v1('TCP4', 'PROXY TCP4 192.0.2.1 192.0.2.2 1000 443\r\n', IPV4_TEXT),
  v1('lowest and highest port', 'PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n', '0.0.0.0 0 -> 255.255.255.255 65535'),
  v1('TCP6', 'PROXY TCP6 2001:DB8::1 ::1 1 2\r\n', '2001:db8::1 1 -> ::1 2'),
  v1('TCP6 without a gap', 'PROXY TCP6 1:2:3:4:5:6:7:8 :: 1 2\r\n', '1:2:3:4:5:6:7:8 1 -> :: 2'),
  v1(
    'IPv4-mapped addresses are IPv4',
    'PROXY TCP6 ::ffff:c000:201 ::ffff:192.0.2.2 1 2\r\n',
    '192.0.2.1 1 -> 192.0.2.2 2',
  ),
  v1('UNKNOWN', 'PROXY UNKNOWN\r\n', 'no address'),
  v1('what follows UNKNOWN is ignored', 'PROXY UNKNOWN 1 2  3 4 5 6\r\n', 'no address'),
  v1('the longest line, of 107 bytes', `${LONGEST.padEnd(105, 'y')}\r\n`, 'no address'),
  binary('TCP over IPv4', v2(0x21, 0x11, IPV4), IPV4_TEXT),
  binary('UDP over IPv4', v2(0x21, 0x12, IPV4), IPV4_TEXT),
  binary('TCP over IPv6', v2(0x21, 0x21, IPV6), '2001:db8::1 65535 -> 2001:db8::2 0'),
  binary('UDP over IPv6', v2(0x21, 0x22, IPV6), '2001:db8::1 65535 -> 2001:db8::2 0'),
  binary('IPv4-mapped addresses are IPv4', v2(0x21, 0x21, MAPPED), IPV4_TEXT),
  binary('Unix stream', v2(0x21, 0x31, UNIX), '/a/b 0 -> /c 0'),
  binary('Unix datagram', v2(0x21, 0x32, UNIX), '/a/b 0 -> /c 0'),
  binary('UNSPEC', v2(0x21, 0x00, Buffer.alloc(0)), 'no address'),
  binary('LOCAL', v2(0x20, 0x00, Buffer.alloc(0)), 'local'),
  binary('LOCAL discards a family, an address and broken TLVs', v2(0x20, 0x99, Buffer.from('abc')), 'local'),
  binary('a right checksum', checked(), IPV4_TEXT),
  binary('16 KiB', v2(0x21, 0x11, Buffer.concat([IPV4, tlv(0x04, Buffer.alloc(16_353))])), IPV4_TEXT),
  withTlvs('an empty TLV', IPV4_TEXT, tlv(0x04, '')),
  withTlvs('two fillers', IPV4_TEXT, tlv(0x04, 'ab'), tlv(0x04, 'c')),
  withTlvs('unknown types', IPV4_TEXT, tlv(0xea, '\x01vpce-0123'), tlv(0xee, 'x'), tlv(0xee, 'y')),
  withTlvs('a unique id of 128 bytes', IPV4_TEXT, tlv(0x05, Buffer.alloc(128, 255))),
  withTlvs('TLS', IPV4_TEXT, tlv(0x20, Buffer.concat([Buffer.of(1, 0, 0, 0, 1), tlv(0x21, 'TLSv1.3')]))),
  withTlvs('TLS without TLVs', IPV4_TEXT, tlv(0x20, Buffer.of(0, 0, 0, 0, 0))),
];

const NO_HEADER = 'no PROXY protocol header';
const BAD_ENDS = 'version 1 line without two addresses and two ports';
const BAD_PORT = 'invalid port in a version 1 line';
const BAD_TCP4 = 'invalid TCP4 address in a version 1 line';
const BAD_TCP6 = 'invalid TCP6 address in a version 1 line';
const BAD_BYTE = 'control character in a version 1 line';

export const REFUSED: readonly HeaderCase[] = [
  { name: 'an HTTP request', bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n'), expected: NO_HEADER },
  { name: 'the HTTP/2 preface', bytes: Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), expected: NO_HEADER },
  { name: 'a TLS handshake', bytes: Buffer.of(22, 3, 1, 0, 200), expected: NO_HEADER },
  { name: 'an empty line', bytes: Buffer.from('\r\nGET'), expected: NO_HEADER },
  v1('lower case', 'proxy TCP4 192.0.2.1 192.0.2.2 1000 443\r\n', NO_HEADER),
  v1('PROXY as a method', 'PROXY/ HTTP/1.1\r\n', NO_HEADER),
  v1('no protocol', 'PROXY \r\n', 'unknown protocol in a version 1 line'),
  v1('another protocol', 'PROXY UDP4 192.0.2.1 192.0.2.2 1000 443\r\n', 'unknown protocol in a version 1 line'),
  v1('a protocol in lower case', 'PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n', 'unknown protocol in a version 1 line'),
  v1('108 bytes', `PROXY UNKNOWN ${'x'.repeat(92)}\r\n`, 'version 1 line of more than 107 bytes'),
  v1('no end', `PROXY UNKNOWN ${'x'.repeat(120)}`, 'version 1 line of more than 107 bytes'),
  v1('CR as byte 107', `PROXY UNKNOWN ${'x'.repeat(92)}\r`, 'version 1 line of more than 107 bytes'),
  v1('LF without CR', 'PROXY TCP4 192.0.2.1 192.0.2.2 1000 443\n', BAD_BYTE),
  v1('CR without LF', 'PROXY TCP4 192.0.2.1 192.0.2.2 1000 443\rGET', BAD_BYTE),
  v1('LF without CR after UNKNOWN', 'PROXY UNKNOWN x\nGET / HTTP/1.1\r\n', BAD_BYTE),
  v1('a tab', 'PROXY TCP4\t192.0.2.1 192.0.2.2 1000 443\r\n', BAD_BYTE),
  v1('a zero byte', 'PROXY TCP4 192.0.2.1\0 192.0.2.2 1000 443\r\n', BAD_BYTE),
  v1('a byte above ASCII', 'PROXY TCP4 192.0.2.1 192.0.2.2\xa0 1000 443\r\n', BAD_BYTE),
  v1('no addresses', 'PROXY TCP4\r\n', BAD_ENDS),
  v1('one port', 'PROXY TCP4 192.0.2.1 192.0.2.2 1000\r\n', BAD_ENDS),
  v1('a fifth value', 'PROXY TCP4 192.0.2.1 192.0.2.2 1000 443 1\r\n', BAD_ENDS),
  v1('two spaces', 'PROXY TCP4 192.0.2.1  192.0.2.2 1000 443\r\n', BAD_ENDS),
  v1('a space at the end', 'PROXY TCP4 192.0.2.1 192.0.2.2 1000 443 \r\n', BAD_ENDS),
  v1('a port above 65535', 'PROXY TCP4 192.0.2.1 192.0.2.2 65536 443\r\n', BAD_PORT),
  v1('a port with a leading zero', 'PROXY TCP4 192.0.2.1 192.0.2.2 01000 443\r\n', BAD_PORT),
  v1('a negative port', 'PROXY TCP4 192.0.2.1 192.0.2.2 1000 -1\r\n', BAD_PORT),
  v1('a hexadecimal port', 'PROXY TCP4 192.0.2.1 192.0.2.2 0x50 443\r\n', BAD_PORT),
  v1('three numbers', 'PROXY TCP4 192.0.1 192.0.2.2 1000 443\r\n', BAD_TCP4),
  v1('a number above 255', 'PROXY TCP4 192.0.2.256 192.0.2.2 1000 443\r\n', BAD_TCP4),
  v1('a number with a leading zero', 'PROXY TCP4 192.0.02.1 192.0.2.2 1000 443\r\n', BAD_TCP4),
  v1('IPv6 addresses for TCP4', 'PROXY TCP4 ::1 ::2 1000 443\r\n', BAD_TCP4),
  v1('a host name', 'PROXY TCP4 localhost 192.0.2.2 1000 443\r\n', BAD_TCP4),
  v1('IPv4 addresses for TCP6', 'PROXY TCP6 192.0.2.1 192.0.2.2 1000 443\r\n', BAD_TCP6),
  v1('one IPv4 address for TCP6', 'PROXY TCP6 ::1 192.0.2.2 1000 443\r\n', BAD_TCP6),
  v1('two gaps', 'PROXY TCP6 1::2::3 ::1 1000 443\r\n', BAD_TCP6),
  v1('nine groups', 'PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1000 443\r\n', BAD_TCP6),
  v1('a group of five digits', 'PROXY TCP6 00001::2 ::1 1000 443\r\n', BAD_TCP6),
  v1('a zone', 'PROXY TCP6 fe80::1%eth0 ::1 1000 443\r\n', BAD_TCP6),
  v1('brackets', 'PROXY TCP6 [::1] ::1 1000 443\r\n', BAD_TCP6),
  binary('another signature', Buffer.from('\r\n\r\n\0\r\nQUIT\r', 'latin1'), NO_HEADER),
  binary('version 1', v2(0x11, 0x11, IPV4), 'unknown version 1'),
  binary('version 3', v2(0x31, 0x11, IPV4), 'unknown version 3'),
  binary('command 2', v2(0x22, 0x11, IPV4), 'unknown command 2'),
  binary('address family 4', v2(0x21, 0x41, IPV4), 'unknown family 0x41'),
  binary('transport 3', v2(0x21, 0x13, IPV4), 'unknown family 0x13'),
  binary('a family without transport', v2(0x21, 0x10, IPV4), 'unknown family 0x10'),
  binary('a transport without family', v2(0x21, 0x01, Buffer.alloc(0)), 'unknown family 0x01'),
  binary('too short for IPv4', v2(0x21, 0x11, IPV4.subarray(0, 11)), 'header too short for its addresses'),
  binary('too short for IPv6', v2(0x21, 0x21, IPV6.subarray(0, 35)), 'header too short for its addresses'),
  binary('too short for Unix', v2(0x21, 0x31, UNIX.subarray(0, 215)), 'header too short for its addresses'),
  binary('more than 16 KiB', v2(0x21, 0x11, IPV4, 16_369), 'header of 16385 bytes, more than 16384'),
  binary('the largest length', v2(0x20, 0x00, Buffer.alloc(0), 65_535), 'header of 65551 bytes, more than 16384'),
  binary('a wrong checksum', checked(1), 'wrong checksum (CRC32C)'),
  withTlvs('TLVs of one byte', 'TLV without its length', Buffer.of(1)),
  withTlvs('TLVs of two bytes', 'TLV without its length', Buffer.of(1, 0)),
  withTlvs('a TLV that is too long', 'TLV 0x01 that is longer than the header', tlv(0x01, 'h2', 3)),
  withTlvs('bytes after the last TLV', 'TLV without its length', tlv(0x01, 'h2'), Buffer.of(9)),
  withTlvs('a checksum of 3 bytes', 'checksum (CRC32C) that has not 4 bytes', tlv(0x03, 'abc')),
  withTlvs('two checksums', 'TLV 0x03 twice', tlv(0x03, 'abcd'), tlv(0x03, 'abcd')),
  withTlvs('two authorities', 'TLV 0x02 twice', tlv(0x02, 'a.example'), tlv(0x02, 'b.example')),
  withTlvs('a unique id of 129 bytes', 'unique id of more than 128 bytes', tlv(0x05, Buffer.alloc(129))),
  withTlvs('a line end in the authority', 'control character in TLV 0x02 (authority)', tlv(0x02, 'a\r\nb')),
  withTlvs('TLS of 4 bytes', 'TLV 0x20 (TLS) of less than 5 bytes', tlv(0x20, Buffer.alloc(4))),
  withTlvs(
    'a TLV within TLS that is too long',
    'TLV 0x21 that is longer than the header, within TLV 0x20 (TLS)',
    tlv(0x20, Buffer.concat([Buffer.of(1, 0, 0, 0, 0), tlv(0x21, 'TLSv1.3', 8)])),
  ),
  binary('TLVs behind UNSPEC are checked', v2(0x21, 0x00, Buffer.of(1)), 'TLV without its length'),
];

export const INCOMPLETE: readonly { readonly name: string; readonly bytes: Buffer }[] = [
  { name: 'nothing', bytes: Buffer.alloc(0) },
  { name: 'the first byte of both versions', bytes: Buffer.from('P') },
  { name: 'a version 1 line up to its CR', bytes: Buffer.from('PROXY UNKNOWN\r') },
  { name: 'a version 1 line of 106 bytes', bytes: Buffer.from(`PROXY UNKNOWN ${'x'.repeat(92)}`) },
  { name: 'the signature', bytes: SIGNATURE },
  { name: 'a version 2 header that announces more', bytes: v2(0x21, 0x11, IPV4, 13) },
];
