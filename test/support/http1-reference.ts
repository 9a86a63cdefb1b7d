// A reference implementation of RFC 9112 with regular expressions over whole strings, written for clarity. Property tests and
// fuzzing compare the codec with it. Supports requests with origin-form targets.

import type { ReadMessage } from './http1-reader.ts';

/** The reference's result for a stream of requests. */
export interface ReferenceResult {
  readonly messages: readonly ReadMessage[];
  /** The rest after the messages: nothing, the beginning of a message, or something invalid. */
  readonly rest: 'nothing' | 'incomplete' | 'refused';
}

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const TEXT = '[\\t\\x20-\\x7e\\x80-\\xff]*';
const REQUEST_LINE = new RegExp(`^(?=[^ ]{1,32} )(${TOKEN}) (/[\\x21\\x22\\x24-\\x7e]*) HTTP/1\\.1$`);
const FIELD_LINE = new RegExp(`^(${TOKEN}):[ \\t]*(${TEXT})$`);
const PORT = '(?::(?:[0-9]{0,4}|[0-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?';
const HOST = new RegExp(`^(?:|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+${PORT}|\\[[0-9A-Fa-f:.]+\\]${PORT})$`);
const QUOTED = '"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"';
const CHUNK_LINE = new RegExp(
  `^([0-9A-Fa-f]{1,16})((?:[ \\t]*;[ \\t]*${TOKEN}(?:[ \\t]*=[ \\t]*(?:${TOKEN}|${QUOTED}))?)*)$`,
);
const MAX_OPTIONS = 9;
const PROTECTED = /^(?:host|content-length|transfer-encoding|forwarded|x-forwarded-.*)$/;
const NEVER_IN_TRAILERS =
  /^(?:x-forwarded-.*|transfer-encoding|content-length|host|connection|keep-alive|proxy-connection|upgrade|te|trailer|forwarded|x-real-ip|x-request-id|via|max-forwards|expect|(?:proxy-)?authorization|(?:proxy|www)-authenticate|(?:proxy-)?authentication-info|(?:set-)?cookie|cache-control|pragma|range|if-.*|age|date|expires|location|retry-after|vary|warning|content-(?:encoding|type|range))$/;

type Fields = [name: string, value: string][];
type Body = { readonly end: number; readonly body: string; readonly trailers: readonly string[] | null };

/** Reads all requests in `text` (latin1). */
export function readReference(text: string): ReferenceResult {
  const messages: ReadMessage[] = [];
  let at = 0;
  while (at < text.length) {
    const start = text.startsWith('\r\n', at) ? at + 2 : at;
    const headEnd = text.indexOf('\r\n\r\n', start);
    if (headEnd < 0) return { messages, rest: 'incomplete' };
    const lines = text.slice(start, headEnd).split('\r\n');
    const line = REQUEST_LINE.exec(lines[0]!);
    const fields = readFields(lines.slice(1));
    if (line === null || fields === null) return { messages, rest: 'refused' };
    const framing = judge(fields);
    if (framing === null) return { messages, rest: 'refused' };
    const body = readBody(text, headEnd + 4, framing.length);
    if (typeof body === 'string') return { messages, rest: body };
    const kept = fields.filter(([name]) => !framing.nominated.has(name.toLowerCase()));
    const { isPersistent } = framing;
    const { trailers } = body;
    messages.push({ start: [line[1]!, line[2]!], fields: kept.flat(), body: body.body, trailers, isPersistent });
    at = body.end;
  }
  return { messages, rest: 'nothing' };
}

function readFields(lines: readonly string[]): Fields | null {
  const fields: Fields = [];
  for (const line of lines) {
    const match = FIELD_LINE.exec(line);
    if (match === null) return null;
    fields.push([match[1]!, match[2]!.replace(/[ \t]+$/, '')]);
  }
  return fields;
}

/** Applies the rules for Host, Connection and framing; null for a refusal. */
function judge(
  fields: Fields,
): { length: number | 'chunked'; isPersistent: boolean; nominated: ReadonlySet<string> } | null {
  const valuesOf = (name: string): string[] =>
    fields.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value);
  const hosts = valuesOf('host');
  if (fields.length > 200 || hosts.length !== 1 || !isHost(hosts[0]!)) return null;
  const elements = valuesOf('connection').flatMap((value) => (value === '' ? [] : value.split(',')));
  const options = elements.map((option) => option.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase());
  const named = options.filter((option) => option !== '');
  // A trailing comma adds no element.
  const count = valuesOf('connection').reduce((sum, value) => sum + elementCount(value), 0);
  if (count > MAX_OPTIONS || named.some((option) => !new RegExp(`^${TOKEN}$`).test(option))) return null;
  const nominated = new Set(named.filter((option) => !['close', 'keep-alive', 'upgrade'].includes(option)));
  if ([...nominated].some((option) => PROTECTED.test(option))) return null;
  const length = judgeLength(valuesOf('content-length'), valuesOf('transfer-encoding'));
  return length === null ? null : { length, isPersistent: !named.includes('close'), nominated };
}

function elementCount(value: string): number {
  return value === '' ? 0 : value.replace(/,$/, '').split(',').length;
}

function judgeLength(lengths: readonly string[], codings: readonly string[]): number | 'chunked' | null {
  if (codings.length > 0) {
    return lengths.length === 0 && codings.length === 1 && codings[0]!.toLowerCase() === 'chunked' ? 'chunked' : null;
  }
  if (lengths.length === 0) return 0;
  return lengths.length === 1 && /^0*[0-9]{1,15}$/.test(lengths[0]!) ? Number(lengths[0]) : null;
}

function isHost(value: string): boolean {
  if (!HOST.test(value)) return false;
  // The platform's URL parser validates IPv6 addresses.
  return !value.startsWith('[') || URL.canParse(`http://${value.slice(0, value.indexOf(']') + 1)}/`);
}

function readBody(text: string, from: number, length: number | 'chunked'): Body | 'incomplete' | 'refused' {
  if (length === 'chunked') return readChunks(text, from);
  if (text.length < from + length) return 'incomplete';
  return { end: from + length, body: text.slice(from, from + length), trailers: null };
}

function readChunks(text: string, from: number): Body | 'incomplete' | 'refused' {
  let at = from;
  let body = '';
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return 'incomplete';
    const line = CHUNK_LINE.exec(text.slice(at, lineEnd));
    if (line === null || line[2]!.length > 1024) return 'refused';
    const size = Number.parseInt(line[1]!, 16);
    if (size > Number.MAX_SAFE_INTEGER) return 'refused';
    at = lineEnd + 2;
    if (size === 0) return readTrailers(text, at, body);
    const following = text.slice(at + size, at + size + 2);
    if (!'\r\n'.startsWith(following)) return 'refused';
    if (following.length < 2) return 'incomplete';
    body += text.slice(at, at + size);
    at += size + 2;
  }
}

function readTrailers(text: string, from: number, body: string): Body | 'incomplete' | 'refused' {
  if (text.startsWith('\r\n', from)) return { end: from + 2, body, trailers: null };
  const end = text.indexOf('\r\n\r\n', from);
  if (end < 0) return 'incomplete';
  const fields = readFields(text.slice(from, end).split('\r\n'));
  if (fields === null || fields.length > 64 || end + 4 - from > 8192) return 'refused';
  const kept = fields.filter(([name]) => !NEVER_IN_TRAILERS.test(name.toLowerCase()));
  return { end: end + 4, body, trailers: kept.length > 0 ? kept.flat() : null };
}
