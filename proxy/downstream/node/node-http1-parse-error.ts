// Errors of llhttp, mapped to the reasons for which a request is refused. Thread: worker.

import type { Unparsable } from '../../../core/exchange-contract.ts';

/** An error of node:http's parser, or of the socket. */
export interface ParseError extends Error {
  readonly code?: string;
  /** Offset in `rawPacket` at which it stopped. */
  readonly bytesParsed?: number;
  readonly rawPacket?: Buffer;
}

/** Facts about the bytes that node:http parsed before an error. */
export interface BytesBefore {
  /** Whether the requests before end with a line. */
  readonly endsWithLine: boolean;
  /** Whether the packet begins with a line. */
  readonly isAtLineStart: boolean;
}

const LF = 0x0a;
const REQUEST_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [!-~]+ HTTP\/1\.\d\r$/;

/** Whether the received bytes are malformed: not the end of a connection within a request, nor a socket error. */
export function isParseError(error: ParseError): boolean {
  return error.code?.startsWith('HPE_') === true && error.code !== 'HPE_INVALID_EOF_STATE';
}

/** The reason to refuse the request. */
export function whyUnparsable(error: ParseError): Unparsable {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return isInRequestLine(error) ? 'target-too-long' : 'head-too-large';
    case 'HPE_INVALID_VERSION':
      return isUnknownVersion(error) ? 'version-not-supported' : 'malformed';
    case 'HPE_INVALID_METHOD':
      // llhttp has a list of methods: another one may be well-formed (RFC 9110 section 9.1 wants 501).
      return REQUEST_LINE.test(lineAround(error)) ? 'method-not-served' : 'malformed';
    default:
      return 'malformed';
  }
}

/**
 * The bytes from a request line on whose method or minor version llhttp doesn't know. Null where it isn't certain where the line begins:
 * llhttp may have taken its first letters for another method's.
 * @param before what node:http got before this line
 */
export function fromUnknownLine(error: ParseError, before: BytesBefore): Buffer | null {
  const { code, rawPacket, bytesParsed = 0 } = error;
  if (code !== 'HPE_INVALID_METHOD' && code !== 'HPE_INVALID_VERSION') return null;
  if (rawPacket === undefined || !REQUEST_LINE.test(lineAround(error))) return null;
  const start = lineStart(rawPacket, bytesParsed);
  const isCertain = before.endsWithLine && (start > 0 || before.isAtLineStart);
  return isCertain ? rawPacket.subarray(start) : null;
}

/** Known from the last packet alone: a line that began in an earlier one counts as part of the fields. */
function isInRequestLine(error: ParseError): boolean {
  const packet = error.rawPacket?.subarray(0, error.bytesParsed) ?? Buffer.alloc(0);
  return /^(?:\r\n)*[A-Z]+ [^\r\n]*$/.test(packet.toString('latin1'));
}

/** A well-formed version: RFC 9110 section 15.6.6 doesn't apply to garbage. */
function isUnknownVersion(error: ParseError): boolean {
  return / HTTP\/\d\.\d\r$/.test(lineAround(error));
}

/** The line in which the parser stopped, with its CR and without its LF, as far as the packet contains it. */
function lineAround(error: ParseError): string {
  const packet = error.rawPacket ?? Buffer.alloc(0);
  const at = Math.min(error.bytesParsed ?? 0, packet.length);
  const end = packet.indexOf(LF, at);
  return packet.toString('latin1', lineStart(packet, at), end === -1 ? packet.length : end);
}

function lineStart(packet: Buffer, at: number): number {
  return at === 0 ? 0 : packet.lastIndexOf(LF, at - 1) + 1;
}
