// Generates HTTP/1.1 streams for property tests and fuzzing: valid ones, and ones with a relevant fault. Both come from one
// seeded source, so that a seed identifies a case.

import { randomBelow, type Random } from '../../core/random.ts';

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'REPORT'];
const TARGETS = ['/', '/a', '/a/b?c=d', '/?', '/%41?x=%20&y', '/a|b[1]?{q}', "/-._~!$&'()*+,;=:@"];
const HOSTS = ['a', 'example.test', 'example.test:8080', 'EXAMPLE.test', '[::1]', '[::1]:80', '127.0.0.1', 'a:', ''];
const FIELDS = [
  'Accept: */*',
  'accept-encoding:gzip, br',
  'X-Empty:',
  'X-Blank: \t ',
  'X-Pad: \t padded \t',
  'X-Tab: a\tb',
  'X-High: \xe9\xff',
  "!#$%&'*+-.^_`|~: tchars",
  'Cookie: a=b; c=d',
  'X-Forwarded-For: 1.2.3.4',
  'User-Agent: test/1.0 (a; b)',
  'TE: trailers',
  'Trailer: X-T',
  'Date: Sat, 01 Aug 2026 00:00:00 GMT',
  'Connection: keep-alive',
  'Connection: close',
  'Connection: X-Pad, close',
  'Connection: ,Accept , , TE',
];
const EXTENSIONS = ['', '', '', ';a', ';a=b', ' ; a = b', ';q="x;y"', ';q="\\""', ';a;b=c', ';s="\t\xff"'];
const TRAILERS = ['X-T: v', 'x-sum:1', 'Content-Length: 3', 'Authorization: x', 'X-Forwarded-For: 9', 'X-E:'];
const BODIES = ['', 'x', 'hello', '\r\n', '0\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n', 'a'.repeat(300)];

/** Text to insert or to substitute, in order to break a stream. */
const POISON = [
  '\r',
  '\n',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '\x7f',
  '\x0b',
  '\x80',
  '#',
  '"',
  '\\',
  '\r\n',
  '\r\n ',
  '\r\n\r\n',
  '0',
  '1',
  'f',
  '+',
  '-',
  '0x',
  '@',
  '/',
  '?',
  'Content-Length: 5\r\n',
  'Content-Length: 0, 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: gzip\r\n',
  'Host: b\r\n',
  'Connection: close, Host\r\n',
  'Connection: a,b,c,d,e,f,g,h,i,j\r\n',
  ' folded\r\n',
  'HTTP/1.0',
  'HTTP/1.2',
  '0\r\n\r\n',
];

export function oneOf<T>(random: Random, list: readonly T[]): T {
  return list[randomBelow(random, list.length)]!;
}

/** A valid request. */
export function makeRequest(random: Random): string {
  const fields = [...new Set(Array.from({ length: randomBelow(random, 6) }, () => oneOf(random, FIELDS)))];
  const host = `${oneOf(random, ['Host: ', 'host:', 'HOST: \t'])}${oneOf(random, HOSTS)}`;
  fields.splice(randomBelow(random, fields.length + 1), 0, host);
  const framing = randomBelow(random, 3);
  const body = framing === 0 ? '' : oneOf(random, BODIES);
  if (framing === 1) fields.push(`Content-Length: ${oneOf(random, ['', '', '00'])}${body.length}`);
  if (framing === 2) fields.push(`Transfer-Encoding: ${oneOf(random, ['chunked', 'Chunked', 'chunked \t'])}`);
  const line = `${oneOf(random, METHODS)} ${oneOf(random, TARGETS)} HTTP/1.1`;
  const head = `${oneOf(random, ['', '', '', '\r\n'])}${[line, ...fields].join('\r\n')}\r\n\r\n`;
  return head + (framing === 2 ? makeChunks(random, body) : body);
}

/** `body` as a chunked body. */
export function makeChunks(random: Random, body: string): string {
  let text = '';
  for (let at = 0; at < body.length; ) {
    const size = 1 + randomBelow(random, body.length - at);
    text += `${hexSize(random, size)}${oneOf(random, EXTENSIONS)}\r\n${body.slice(at, at + size)}\r\n`;
    at += size;
  }
  text += `${oneOf(random, ['0', '0', '000'])}${oneOf(random, EXTENSIONS)}\r\n`;
  for (let count = randomBelow(random, 4) - 1; count > 0; count -= 1) text += `${oneOf(random, TRAILERS)}\r\n`;
  return `${text}\r\n`;
}

function hexSize(random: Random, size: number): string {
  const hex = size.toString(16);
  return oneOf(random, [hex, hex, hex.toUpperCase(), `00${hex}`]);
}

/** One to three consecutive valid requests. */
export function makeStream(random: Random): string {
  let text = '';
  for (let count = 1 + randomBelow(random, 3); count > 0; count -= 1) text += makeRequest(random);
  return text;
}

/** Breaks a stream in one to three places by inserting, removing, doubling, or changing a byte. */
export function mutate(random: Random, text: string): string {
  let result = text;
  for (let count = 1 + randomBelow(random, 3); count > 0; count -= 1) {
    const at = randomBelow(random, result.length + 1);
    const size = 1 + randomBelow(random, 4);
    const rest = result.slice(at);
    const insert = oneOf(random, POISON);
    result =
      result.slice(0, at) +
      oneOf(random, [insert + rest, insert + rest.slice(size), rest.slice(size), rest.slice(0, size) + rest]);
  }
  return result;
}

/** Random offsets that split `length` bytes. */
export function makeCuts(random: Random, length: number): number[] {
  const count = randomBelow(random, 8);
  return Array.from({ length: count }, () => randomBelow(random, length + 1)).sort((a, b) => a - b);
}

const STATUSES = [200, 200, 201, 204, 304, 404, 500, 599];
const RESPONSE_FIELDS = [
  'Server: s',
  'Date: Sat, 01 Aug 2026 00:00:00 GMT',
  'Set-Cookie: a=b',
  'Content-Type: text/plain',
  'Connection: close',
  'Connection: keep-alive, X-Hop',
  'X-Hop: 1',
  'Keep-Alive: timeout=5',
  'X-High: \xe9',
  'X-Empty:',
];

/** A valid response to a GET, possibly after an interim one. */
export function makeResponse(random: Random): string {
  const status = oneOf(random, STATUSES);
  const fields = [...new Set(Array.from({ length: randomBelow(random, 5) }, () => oneOf(random, RESPONSE_FIELDS)))];
  const isBodyless = status === 204 || status === 304;
  const isChunked = !isBodyless && randomBelow(random, 2) === 0;
  const body = isBodyless ? '' : oneOf(random, BODIES);
  if (isChunked) fields.push('Transfer-Encoding: chunked');
  else if (!isBodyless) fields.push(`Content-Length: ${body.length}`);
  const line = oneOf(random, [`HTTP/1.1 ${status} Reason`, `HTTP/1.1 ${status} `, `HTTP/1.1 ${status} R\xe9 a`]);
  const interim = oneOf(random, ['', '', '', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n']);
  return `${interim}${[line, ...fields].join('\r\n')}\r\n\r\n${isChunked ? makeChunks(random, body) : body}`;
}
