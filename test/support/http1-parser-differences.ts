// Differences between our codec and the platform's parser (llhttp) on requests, rule by rule, with examples. Tested in
// test/property/proxy/http1/llhttp.test.ts and, as far as they reach the wire, in end-to-end/wire-differences.test.ts.

import { METHODS } from 'node:http';

const HOST = 'Host: a\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const post = (fields: string, body: string): string => `POST / HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;

/** Rules by which we refuse streams that the platform accepts, each with a case below. */
export const STRICTER = {
  'bad-host': [`GET / HTTP/1.1\r\nHost: a b\r\n\r\n`, `GET / HTTP/1.1\r\nHost: u@a\r\n\r\n`],
  'repeated-host': [`GET / HTTP/1.1\r\n${HOST}host: b\r\n\r\n`],
  'bad-request-line': [`GET /\r\n\r\n`, `GET /HTTP/1.1\r\n${HOST}\r\n`],
  'bad-target': [`GET  / HTTP/1.1\r\n${HOST}\r\n`],
  'fragment-in-target': [`GET /a#b HTTP/1.1\r\n${HOST}\r\n`],
  'bad-method': [`\r\n\r\nGET / HTTP/1.1\r\n${HOST}\r\n`, `\nGET / HTTP/1.1\r\n${HOST}\r\n`],
  'bare-cr': [`\rGET / HTTP/1.1\r\n${HOST}\r\n`],
  'bad-connection-option': [`GET / HTTP/1.1\r\n${HOST}Connection: keep alive\r\n\r\n`],
  'too-many-connection-options': [`GET / HTTP/1.1\r\n${HOST}Connection: a,b,c,d,e,f,g,h,i,j\r\n\r\n`],
  'forbidden-nomination': [`GET / HTTP/1.1\r\n${HOST}Connection: Host\r\n\r\n`],
  'bad-chunk-extension': [post(CHUNKED, '0;a=;b\r\n\r\n'), post(CHUNKED, '0;="a"\r\n\r\n')],
  'unknown-transfer-coding': [post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n')],
} as const satisfies Record<string, readonly string[]>;

/** Rules of the RFCs by which we accept streams that the platform refuses, each as a predicate of a stream. */
export const LENIENT: readonly (readonly [rule: string, example: string, applies: (text: string) => boolean])[] = [
  ['a method is any token', `MOVED / HTTP/1.1\r\n${HOST}\r\n`, (text) => !METHODS.includes(methodOf(text))],
  [
    'OWS around a coding may be HTAB (RFC 9110 5.6.3)',
    post('Transfer-Encoding:\tchunked\t\r\n', '0\r\n\r\n'),
    (text) => /transfer-encoding:[^\r\n]*\t/i.test(text),
  ],
  [
    'blanks around chunk extensions are parsed (RFC 9110 5.6.3, BWS)',
    post(CHUNKED, '1 ; a = b\r\nx\r\n0\r\n\r\n'),
    (text) => /[0-9a-f][ \t]*;[ \t]|[0-9a-f][ \t]+;|[ \t]=|=[ \t]/i.test(text),
  ],
  [
    'a framing field in trailers is dropped (RFC 9110 6.5.1)',
    post(CHUNKED, '0\r\nContent-Length: 5\r\n\r\n'),
    (text) => /chunked[^]*\r\n\r\n[^]*\r\n(?:content-length|transfer-encoding):/i.test(text),
  ],
];

function methodOf(text: string): string {
  return text.trimStart().split(' ')[0]!;
}
