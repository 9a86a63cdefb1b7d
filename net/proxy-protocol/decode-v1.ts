// Version 1 of the PROXY protocol: one line of text (section 2.1). Thread: both.

import { formatAddress, readAddress } from '../../core/address.ts';
import type { DecodedProxyHeader, ProxiedAddresses, ProxyHeader } from './header.ts';

/** CRLF included: the longest line that the protocol allows. */
const MAX_LINE_BYTES = 107;
const CR = 0x0d;
const LF = 0x0a;
const PREFIX = 'PROXY ';

/** Digits without a leading zero, which some parsers read as octal. */
const PORT = /^(?:0|[1-9]\d{0,4})$/;

const words = new Uint32Array(4);

/** @param received begins with 'P' */
export function decodeVersion1(received: Buffer): DecodedProxyHeader {
  const size = Math.min(received.length, PREFIX.length);
  if (received.toString('latin1', 0, size) !== PREFIX.slice(0, size)) return refused('no PROXY protocol header');
  const end = lineEnd(received);
  if (end === 'bad') return refused('control character in a version 1 line');
  if (end !== 'open') return decodeLine(received.toString('latin1', 0, end), end + 2);
  if (received.length >= MAX_LINE_BYTES) return refused(`version 1 line of more than ${MAX_LINE_BYTES} bytes`);
  return { kind: 'incomplete' };
}

/** The index of CRLF. A CR as the last byte received may still become one. */
function lineEnd(received: Buffer): number | 'open' | 'bad' {
  const limit = Math.min(received.length, MAX_LINE_BYTES);
  for (let at = PREFIX.length; at < limit; at += 1) {
    const byte = received[at]!;
    if (byte >= 0x20 && byte < 0x7f) continue;
    if (byte !== CR) return 'bad';
    if (at + 1 >= limit) return 'open';
    return received[at + 1] === LF ? at : 'bad';
  }
  return 'open';
}

function decodeLine(line: string, sizeBytes: number): DecodedProxyHeader {
  const [protocol, ...rest] = line.slice(PREFIX.length).split(' ');
  // A receiver must ignore whatever follows UNKNOWN.
  if (protocol === 'UNKNOWN') return { kind: 'complete', header: headerOf(null), sizeBytes };
  if (protocol !== 'TCP4' && protocol !== 'TCP6') return refused('unknown protocol in a version 1 line');
  if (rest.length !== 4) return refused('version 1 line without two addresses and two ports');
  const isIPv6 = protocol === 'TCP6';
  const source = addressOf(rest[0]!, isIPv6);
  const destination = addressOf(rest[1]!, isIPv6);
  if (source === '' || destination === '') return refused(`invalid ${protocol} address in a version 1 line`);
  const sourcePort = portOf(rest[2]!);
  const destinationPort = portOf(rest[3]!);
  if (sourcePort < 0 || destinationPort < 0) return refused('invalid port in a version 1 line');
  const addresses: ProxiedAddresses = { kind: 'ip', source, sourcePort, destination, destinationPort };
  return { kind: 'complete', header: headerOf(addresses), sizeBytes };
}

function headerOf(addresses: ProxiedAddresses | null): ProxyHeader {
  return { version: 1, isLocal: false, addresses, alpn: '', authority: '', uniqueId: '', tls: null };
}

/** The address in its plain form; '' for anything else, a zone included. */
function addressOf(text: string, isIPv6: boolean): string {
  if (text.includes(':') !== isIPv6 || text.includes('%')) return '';
  const version = readAddress(text, words);
  return version === 0 ? '' : formatAddress(version, words);
}

function portOf(text: string): number {
  const port = PORT.test(text) ? Number(text) : -1;
  return port > 65_535 ? -1 : port;
}

function refused(cause: string): DecodedProxyHeader {
  return { kind: 'refused', cause };
}
