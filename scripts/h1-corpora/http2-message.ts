// Converts raw HTTP/1.1 requests to HTTP/2 messages of the same meaning, bytes that HTTP/2 forbids included. Thread: main.

/** A request as an HTTP/2 client would send it. */
export interface Http2Message {
  /** Names and values in turn, pseudo-header fields first. */
  readonly fields: readonly string[];
  readonly body: Buffer;
  readonly trailers: readonly string[];
}

/** Fields of one connection of HTTP/1.1, which a client that converts leaves out (RFC 9113 section 8.2.2). */
const HOP_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'upgrade',
  'http2-settings',
  'te',
  'trailer',
]);
const ABSOLUTE = /^(https?):\/\/([^/?#]*)([^#]*)$/i;
const DIGITS = /^\d{1,15}$/;

type Field = readonly [name: string, value: string];

/**
 * Converts the first message of `bytes`.
 * @param isHonest whether it is valid: its connection-specific fields are left out, and what follows it is no part of it.
 * Otherwise all bytes that HTTP/2 can carry are kept
 * @returns the reason where HTTP/2 has no such message
 */
export function http2MessageOf(bytes: Buffer, isHonest: boolean): Http2Message | string {
  const text = bytes.toString('latin1').replace(/^(?:\r\n)+/, '');
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return 'a head without end: HTTP/2 has frames';
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const line = /^([^ ]*) (.*) HTTP\/1\.[01]$/s.exec(first);
  if (line === null) return 'a request line of another form: HTTP/2 has pseudo-header fields';
  const fields = fieldsOf(lines);
  if (typeof fields === 'string') return fields;
  const rest = Buffer.from(text.slice(end + 4), 'latin1');
  const content = contentOf(fields, rest, isHonest);
  return {
    fields: [...pseudoFields(line[1]!, line[2]!, fields), ...kept(fields, content.isDecoded, isHonest)],
    ...content,
  };
}

function fieldsOf(lines: readonly string[]): Field[] | string {
  const fields: Field[] = [];
  for (const line of lines) {
    if (/^[ \t]/.test(line)) return 'a folded line: HTTP/2 has no lines';
    const colon = line.indexOf(':');
    if (colon < 0) return 'a line without a colon: HTTP/2 has no lines';
    fields.push([line.slice(0, colon).toLowerCase(), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')]);
  }
  return fields;
}

function valuesOf(fields: readonly Field[], name: string): string[] {
  return fields.filter(([one]) => one === name).map(([, value]) => value);
}

function pseudoFields(method: string, target: string, fields: readonly Field[]): string[] {
  const absolute = ABSOLUTE.exec(target);
  const [host] = valuesOf(fields, 'host');
  const authority = absolute?.[2] ?? host;
  const pseudo = [':method', method, ':scheme', absolute?.[1]!.toLowerCase() ?? 'http'];
  if (authority !== undefined) pseudo.push(':authority', authority);
  const path = absolute === null ? target : absolute[3] || '/';
  return [...pseudo, ':path', path.startsWith('?') ? `/${path}` : path];
}

/** The regular fields; the first Host is `:authority`. */
function kept(fields: readonly Field[], isDecoded: boolean, isHonest: boolean): string[] {
  const nominated = new Set(
    valuesOf(fields, 'connection').flatMap((value) => value.toLowerCase().split(/[ \t]*,[ \t]*/)),
  );
  const host = fields.find(([name]) => name === 'host');
  const isKept = (field: Field): boolean => {
    const [name] = field;
    if (field === host || (isDecoded && name === 'transfer-encoding')) return false;
    return !isHonest || (!HOP_FIELDS.has(name) && !nominated.has(name));
  };
  return fields.filter(isKept).flat();
}

interface Content {
  readonly body: Buffer;
  readonly trailers: readonly string[];
  /** Whether chunks were decoded. */
  readonly isDecoded: boolean;
}

function contentOf(fields: readonly Field[], rest: Buffer, isHonest: boolean): Content {
  const [coding, ...codings] = valuesOf(fields, 'transfer-encoding');
  const lengths = valuesOf(fields, 'content-length');
  if (codings.length === 0 && coding?.toLowerCase() === 'chunked' && lengths.length === 0) {
    const decoded = decodeChunks(rest);
    if (decoded !== null && (isHonest || decoded.used === rest.length)) return { ...decoded, isDecoded: true };
  }
  const none = { trailers: [], isDecoded: false };
  if (!isHonest) return { body: rest, ...none };
  const [length = '0'] = lengths;
  return { body: DIGITS.test(length) ? rest.subarray(0, Number(length)) : rest, ...none };
}

/** @returns null where the chunks are malformed or not whole */
function decodeChunks(bytes: Buffer): { body: Buffer; trailers: string[]; used: number } | null {
  const text = bytes.toString('latin1');
  let body = '';
  for (let at = 0; ; ) {
    const size = /^([0-9A-Fa-f]{1,8})(?:[ \t]*;[^\r\n\0]*)?\r\n/.exec(text.slice(at));
    if (size === null) return null;
    at += size[0].length;
    const length = Number.parseInt(size[1]!, 16);
    if (length === 0) return decodeTrailers(text, at, Buffer.from(body, 'latin1'));
    if (text.slice(at + length, at + length + 2) !== '\r\n') return null;
    body += text.slice(at, at + length);
    at += length + 2;
  }
}

function decodeTrailers(text: string, start: number, body: Buffer) {
  const lines: string[] = [];
  for (let at = start; ; ) {
    const end = text.indexOf('\r\n', at);
    if (end < 0) return null;
    const line = text.slice(at, end);
    at = end + 2;
    if (line === '') {
      const fields = fieldsOf(lines);
      return typeof fields === 'string' ? null : { body, trailers: fields.flat(), used: at };
    }
    lines.push(line);
  }
}
