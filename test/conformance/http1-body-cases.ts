// Conformance cases: framing of requests, chunked bodies.

import { bare, get, post, type RequestCase } from './http1-case.ts';

const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const SECOND = get('', '/2');

/** A POST with this body, then a GET that must be read, too. */
const served = (rule: string, name: string, lines: string, sent: string, body: string): RequestCase => {
  const requests = [{ method: 'POST', target: '/', body }, bare('GET', '/2')];
  return { name, rule, bytes: post(lines, sent) + SECOND, verdict: 'accept', requests };
};
const chunked = (rule: string, name: string, sent: string, body: string): RequestCase => {
  return served(rule, name, CHUNKED, sent, body);
};
const refused = (rule: string, name: string, lines: string, sent: string): RequestCase => {
  return { name, rule, bytes: post(lines, sent) + SECOND, verdict: 'refuse', requests: [] };
};
const badChunk = (rule: string, name: string, sent: string): RequestCase => refused(rule, name, CHUNKED, sent);
/** Grammar that the RFC allows a recipient to repair or to limit; the codec refuses it. */
const mayBeRefused = (rule: string, name: string, lines: string, sent: string): RequestCase => {
  return { ...refused(rule, name, lines, sent), verdict: 'either' };
};

export const FRAMING_CASES: readonly RequestCase[] = [
  served('9112 6.3', 'no framing field: no body', '', '', ''),
  served('9112 6.2', 'Content-Length', 'Content-Length: 5\r\n', 'hello', 'hello'),
  served(
    '9110 8.6',
    'Content-Length with leading zeros is decimal',
    'Content-Length: 0010\r\n',
    '0123456789',
    '0123456789',
  ),
  served('9112 6.2', 'Content-Length 0', 'Content-Length: 0\r\n', '', ''),
  served('9112 6.3', 'a body that looks like a request', `Content-Length: ${SECOND.length}\r\n`, SECOND, SECOND),
  refused('9112 6.3', 'an empty Content-Length', 'Content-Length:\r\n', ''),
  refused('9112 6.3', 'a signed Content-Length', 'Content-Length: +5\r\n', 'hello'),
  refused('9112 6.3', 'a negative Content-Length', 'Content-Length: -1\r\n', ''),
  refused('9112 6.3', 'a hexadecimal Content-Length', 'Content-Length: 0x5\r\n', 'hello'),
  refused('9112 6.3', 'a Content-Length with a blank inside', 'Content-Length: 1 1\r\n', 'hello world'),
  refused('9112 6.3', 'a Content-Length beyond 64 bits', 'Content-Length: 18446744073709551621\r\n', 'hello'),
  refused('9112 6.3', 'two Content-Lengths that differ', 'Content-Length: 5\r\nContent-Length: 0\r\n', 'hello'),
  refused('9112 6.3', 'a list of Content-Lengths that differ', 'Content-Length: 5, 0\r\n', 'hello'),
  mayBeRefused('9112 6.3', 'two equal Content-Lengths', 'Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'),
  mayBeRefused('9112 6.3', 'a list of equal Content-Lengths', 'Content-Length: 5, 5\r\n', 'hello'),
  mayBeRefused('9112 6.1', 'Content-Length with Transfer-Encoding', `Content-Length: 5\r\n${CHUNKED}`, '0\r\n\r\n'),
  mayBeRefused('9112 6.1', 'Transfer-Encoding with Content-Length', `${CHUNKED}Content-Length: 5\r\n`, '0\r\n\r\n'),
  refused('9112 6.1', 'chunked twice in one field', 'Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'),
  refused('9112 6.1', 'chunked twice in two fields', `${CHUNKED}${CHUNKED}`, '0\r\n\r\n'),
  refused('9112 6.3', 'chunked that is not the last coding', 'Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n'),
  refused('9112 6.3', 'a coding without chunked', 'Transfer-Encoding: gzip\r\n', ''),
  mayBeRefused('9112 6.1', 'a coding before chunked', 'Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
  refused('9112 6.1', 'identity, which is no coding any more', 'Transfer-Encoding: identity\r\n', ''),
  refused(
    '9112 7',
    'a coding with a byte before it that is no blank',
    'Transfer-Encoding: \x0bchunked\r\n',
    '0\r\n\r\n',
  ),
  refused('9112 5.1', 'a blank behind the name Transfer-Encoding', 'Transfer-Encoding : chunked\r\n', '0\r\n\r\n'),
  served('9112 7', 'chunked in any case', 'tRANSFER-eNCODING:\tCHUNKED \r\n', '0\r\n\r\n', ''),
  {
    name: 'Transfer-Encoding in HTTP/1.0',
    rule: '9112 6.1',
    bytes: `POST / HTTP/1.0\r\n${CHUNKED}\r\n0\r\n\r\n${SECOND}`,
    verdict: 'either',
    requests: [{ method: 'POST', target: '/', body: '' }],
    isHandedOff: true,
  },
];

export const CHUNK_CASES: readonly RequestCase[] = [
  chunked('9112 7.1', 'no chunk but the last', '0\r\n\r\n', ''),
  chunked('9112 7.1', 'several chunks', '5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n', 'hello world'),
  chunked(
    '9112 7.1',
    'sizes in both cases',
    'A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n',
    '01234567890123456789a',
  ),
  chunked('9112 7.1', 'sizes with leading zeros', '0005\r\nhello\r\n000\r\n\r\n', 'hello'),
  chunked('9112 7.1', 'data that looks like an end', '5\r\n0\r\n\r\n\r\n0\r\n\r\n', '0\r\n\r\n'),
  badChunk('9112 7.1', 'no size', '\r\nhello\r\n0\r\n\r\n'),
  badChunk('9112 7.1', 'a size that is no number', 'x\r\nhello\r\n0\r\n\r\n'),
  badChunk('9112 7.1', 'a size with 0x', '0x5\r\nhello\r\n0\r\n\r\n'),
  badChunk('9112 7.1', 'a signed size', '+5\r\nhello\r\n0\r\n\r\n'),
  badChunk('9112 7.1', 'a blank before the size', ' 5\r\nhello\r\n0\r\n\r\n'),
  badChunk('9112 7.1', 'a size beyond 64 bits', '10000000000000005\r\nhello\r\n0\r\n\r\n'),
  badChunk('9112 7.1', 'LF behind a size', '5\nhello\r\n0\r\n\r\n'),
  badChunk('9112 7.1', 'CR behind a size', '5\rhello\r\n0\r\n\r\n'),
  badChunk('9112 7.1', 'LF behind data', '5\r\nhello\n0\r\n\r\n'),
  badChunk('9112 7.1', 'data longer than its size', '3\r\nhello\r\n0\r\n\r\n'),
  badChunk('9112 7.1', 'data shorter than its size', '6\r\nhello\r\n0\r\n\r\n'),
  mayBeRefused('9112 7.1', 'a blank behind a size', CHUNKED, '5 \r\nhello\r\n0\r\n\r\n'),
  chunked('9112 7.1.1', 'extensions mean nothing', '5;a;b=c;d="e;f"\r\nhello\r\n0;g\r\n\r\n', 'hello'),
  chunked('9110 5.6.3', 'blanks around extensions', '5 ; a = b\r\nhello\r\n0\r\n\r\n', 'hello'),
  badChunk('9112 7.1.1', 'an extension without a name', '5;\r\nhello\r\n0\r\n\r\n'),
  badChunk('9112 7.1.1', 'LF in an extension', '5;a\nhello\r\n0\r\n\r\n'),
  badChunk('9112 7.1.1', 'CR in an extension', '5;a\rb\r\nhello\r\n0\r\n\r\n'),
  badChunk('9110 5.6.4', 'CRLF in a quoted extension', '5;a="\r\nhello"\r\n0\r\n\r\n'),
  mayBeRefused('9112 7.1.1', 'an extension beyond our limit', CHUNKED, `5;${'a'.repeat(5000)}\r\nhello\r\n0\r\n\r\n`),
  chunked('9112 7.1.2', 'trailers', '5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-End: 2\r\n\r\n', 'hello'),
  chunked('9110 6.5.1', 'trailers that say framing', '0\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\n\r\n', ''),
  badChunk('9112 7.1.2', 'a trailer without a colon', '0\r\nX-Sum\r\n\r\n'),
  badChunk('9112 5.1', 'a trailer with a blank before the colon', '0\r\nX-Sum : 1\r\n\r\n'),
  badChunk('9112 7.1.2', 'a last line of CR and another byte', '0\r\n\rX\r\n'),
  mayBeRefused('9112 2.2', 'a last line of LF', CHUNKED, '0\r\n\n'),
  mayBeRefused('9110 6.5', 'trailers beyond our limit', CHUNKED, `0\r\n${'A: b\r\n'.repeat(2000)}\r\n`),
];
