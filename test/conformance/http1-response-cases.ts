// Conformance cases: responses of endpoints.

import type { ResponseCase } from './http1-case.ts';

const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const response = (lines: string, body = '', status = '200 OK'): string => `HTTP/1.1 ${status}\r\n${lines}\r\n${body}`;

const delivered = (rule: string, name: string, bytes: string, body: string, status = 200): ResponseCase => {
  return { name, rule, bytes, verdict: 'deliver', status, body };
};
const refused = (rule: string, name: string, bytes: string): ResponseCase => {
  return { name, rule, bytes, verdict: 'refuse' };
};
const cut = (rule: string, name: string, bytes: string): ResponseCase => ({ name, rule, bytes, verdict: 'cut' });

export const STATUS_LINE_CASES: readonly ResponseCase[] = [
  delivered('9112 4', 'an empty reason', response('Content-Length: 0\r\n', '', '200 '), ''),
  delivered('9112 4', 'no reason and no blank before it', response('Content-Length: 0\r\n', '', '200'), ''),
  delivered('9110 5.5', 'bytes above 0x7f in the reason', response('Content-Length: 0\r\n', '', '500 \xd6ha'), '', 500),
  delivered('9110 15', 'an unregistered status of the class 5xx', response(CHUNKED, '0\r\n\r\n', '599 X'), '', 599),
  refused('9112 4', 'no status line', 'hello\r\n\r\n'),
  refused('9112 4', 'a status of letters', response('', '', 'abc OK')),
  refused('9112 4', 'a status of two digits', response('', '', '20 OK')),
  refused('9112 4', 'a status of four digits', response('', '', '2000 OK')),
  refused('9110 15', 'a status outside of the five classes', response('', '', '600 OK')),
  refused('9112 2.3', 'another protocol', 'RTSP/1.0 200 OK\r\n\r\n'),
  refused('9112 2.3', 'a version that is none', 'HTTP/1.01 200 OK\r\n\r\n'),
  refused('9112 2.2', 'CR in the reason', response('', '', '200 O\rK')),
];

export const RESPONSE_FIELD_CASES: readonly ResponseCase[] = [
  refused('9112 5.1', 'a blank before a colon', response('X-A : b\r\nContent-Length: 0\r\n')),
  refused('9112 5.2', 'a folded line', response('X-A: b\r\n c\r\nContent-Length: 0\r\n')),
  refused('9110 5.5', 'NUL in a value', response('X-A: \0\r\nContent-Length: 0\r\n')),
  refused('9112 2.2', 'CR in a value (response splitting)', response('X-A: b\rSet-Cookie: c\r\nContent-Length: 0\r\n')),
  refused('9112 2.2', 'LF alone as line end', response('X-A: b\nContent-Length: 0\r\n')),
  refused('9112 5', 'no colon', response('X-A\r\nContent-Length: 0\r\n')),
  refused('9110 5.4', 'a field larger than our limit', response(`X-A: ${'b'.repeat(40_000)}\r\n`)),
  refused('9110 7.6.1', 'nominated framing', response('Connection: Content-Length\r\nContent-Length: 0\r\n')),
];

export const RESPONSE_FRAMING_CASES: readonly ResponseCase[] = [
  delivered('9112 6.3', 'Content-Length', response('Content-Length: 5\r\n', 'hello'), 'hello'),
  delivered('9112 6.3', 'chunked', response(CHUNKED, '5\r\nhello\r\n0\r\n\r\n'), 'hello'),
  cut('9112 6.3', 'Content-Length and fewer bytes', response('Content-Length: 9\r\n', 'hello')),
  cut('9112 7.1', 'chunked without a last chunk', response(CHUNKED, '5\r\nhello\r\n')),
  cut('9112 7.1', 'chunked that ends inside of a chunk', response(CHUNKED, '9\r\nhello')),
  {
    ...delivered(
      '9112 6.3',
      'bytes behind the declared length',
      response('Content-Length: 5\r\n', 'helloEVIL'),
      'hello',
    ),
    surplusBytes: 4,
  },
  {
    ...delivered('9112 7.1', 'bytes behind the last chunk', response(CHUNKED, '0\r\n\r\nEVIL'), ''),
    surplusBytes: 4,
  },
  { ...delivered('9110 9.3.2', 'HEAD with Content-Length', response('Content-Length: 5\r\n'), ''), method: 'HEAD' },
  { ...delivered('9110 9.3.2', 'HEAD with chunked', response(CHUNKED), ''), method: 'HEAD' },
  delivered('9110 15.3.5', '204 with Content-Length', response('Content-Length: 0\r\n', '', '204 No Content'), '', 204),
  delivered(
    '9110 15.4.5',
    '304 with Content-Length',
    response('Content-Length: 5\r\n', '', '304 Not Modified'),
    '',
    304,
  ),
  delivered(
    '9110 15.2',
    'a final response behind interim ones',
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${response('Content-Length: 2\r\n', 'ok')}`,
    'ok',
  ),
  refused(
    '9110 15.2.2',
    '101 that nobody asked for',
    response('Connection: upgrade\r\nUpgrade: x\r\n', '', '101 Switching'),
  ),
  refused(
    '9112 6.3',
    'two Content-Lengths that differ',
    response('Content-Length: 5\r\nContent-Length: 3\r\n', 'hello'),
  ),
  refused('9112 6.3', 'a Content-Length that is no number', response('Content-Length: five\r\n', 'hello')),
  refused(
    '9112 6.3',
    'Content-Length with Transfer-Encoding',
    response(`Content-Length: 5\r\n${CHUNKED}`, '0\r\n\r\n'),
  ),
  refused('9112 6.1', 'a coding that we do not have', response('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n')),
  refused('9112 6.1', 'chunked twice', response(`${CHUNKED}${CHUNKED}`, '0\r\n\r\n')),
  refused('9112 6.1', 'Transfer-Encoding in HTTP/1.0', `HTTP/1.0 200 OK\r\n${CHUNKED}\r\n0\r\n\r\n`),
  refused('9112 7.1', 'a bad chunk size', response(CHUNKED, '5z\r\nhello\r\n0\r\n\r\n')),
  refused('9112 7.1', 'data longer than its size', response(CHUNKED, '3\r\nhello\r\n0\r\n\r\n')),
  refused('9112 7.1.2', 'a malformed trailer', response(CHUNKED, '0\r\nX A: b\r\n\r\n')),
];
