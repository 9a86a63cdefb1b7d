// Conformance cases: request line, targets, Host, fields, Connection.

import { bare, get, type RequestCase } from './http1-case.ts';

const GET = bare('GET', '/');
const HOST = 'Host: a.test\r\n';

/** A case that must be served as one GET of '/'. */
const served = (rule: string, name: string, bytes: string): RequestCase => {
  return { name, rule, bytes, verdict: 'accept', requests: [GET] };
};
const refused = (rule: string, name: string, bytes: string): RequestCase => {
  return { name, rule, bytes, verdict: 'refuse', requests: [] };
};
/** The RFC leaves a choice, or only says SHOULD: the codec refuses. */
const mayBeRefused = (rule: string, name: string, bytes: string): RequestCase => {
  return { name, rule, bytes, verdict: 'either', requests: [GET] };
};

export const LINE_CASES: readonly RequestCase[] = [
  served('9112 2.1', 'a request of its two required lines', get()),
  served('9112 2.2', 'one empty line before the request line', `\r\n${get()}`),
  {
    name: 'an empty line between two requests',
    rule: '9112 2.2',
    bytes: `${get()}\r\n${get('', '/2')}`,
    verdict: 'accept',
    requests: [GET, bare('GET', '/2')],
  },
  mayBeRefused('9112 2.2', 'LF in place of CRLF throughout', 'GET / HTTP/1.1\nHost: a.test\n\n'),
  mayBeRefused('9112 2.2', 'LF in place of CRLF behind the request line', `GET / HTTP/1.1\n${HOST}\r\n`),
  mayBeRefused('9112 2.2', 'LF in place of CRLF behind a field', get('X-A: b\n')),
  refused('9112 2.2', 'CR in place of CRLF behind the request line', `GET / HTTP/1.1\r${HOST}\r\n`),
  mayBeRefused('9112 2.2', 'CR alone in a field value', get('X-A: b\rX-B: c\r\n')),
  refused('9112 2.2', 'CR alone in a field name', get('X-\rA: b\r\n')),
  refused('9112 2.2', 'CR CR LF as the last line', `GET / HTTP/1.1\r\n${HOST}\r\r\n`),
  mayBeRefused('9112 2.2', 'a blank before the first field', `GET / HTTP/1.1\r\n ${HOST}${HOST}\r\n`),
  refused('9112 2.2', 'bytes that are no HTTP', '\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03'),
  refused('9112 2.3', 'HTTP in lower case', `GET / http/1.1\r\n${HOST}\r\n`),
  refused('9112 2.3', 'a minor version of two digits', `GET / HTTP/1.11\r\n${HOST}\r\n`),
  refused('9112 2.3', 'a version without a dot', `GET / HTTP/11\r\n${HOST}\r\n`),
  refused('9110 2.5', 'a major version that nobody speaks', `GET / HTTP/3.0\r\n${HOST}\r\n`),
];

export const REQUEST_LINE_CASES: readonly RequestCase[] = [
  {
    name: 'a path and a query that use all that RFC 3986 has',
    rule: '9112 3.2.1',
    bytes: get('', "/a;b=c/%7E-._~!$&'()*+,=:@/?x=/?:@"),
    verdict: 'accept',
    requests: [bare('GET', "/a;b=c/%7E-._~!$&'()*+,=:@/?x=/?:@")],
  },
  {
    name: 'a target of 8000 bytes',
    rule: '9112 3',
    bytes: get('', `/${'a'.repeat(7999)}`),
    verdict: 'accept',
    requests: [bare('GET', `/${'a'.repeat(7999)}`)],
  },
  refused('9112 3', 'a target beyond our limit', get('', `/${'a'.repeat(20_000)}`)),
  refused('9112 3', 'two blanks between method and target', `GET  / HTTP/1.1\r\n${HOST}\r\n`),
  refused('9112 3', 'HTAB between method and target', `GET\t/ HTTP/1.1\r\n${HOST}\r\n`),
  refused('9112 3', 'a blank before the method', ` GET / HTTP/1.1\r\n${HOST}\r\n`),
  refused('9112 3', 'a blank behind the version', `GET / HTTP/1.1 \r\n${HOST}\r\n`),
  refused('9112 3', 'no version', `GET /\r\n${HOST}\r\n`),
  refused('9112 3', 'no target', `GET HTTP/1.1\r\n${HOST}\r\n`),
  refused('9112 3.2', 'a blank in the target', get('', '/a b')),
  refused('9112 3.1', 'a method that is no token', `GET{} / HTTP/1.1\r\n${HOST}\r\n`),
  refused('9112 3.1', 'NUL in the method', `GE\0T / HTTP/1.1\r\n${HOST}\r\n`),
  {
    name: 'a method of another standard',
    rule: '9110 9.1',
    bytes: `REPORT / HTTP/1.1\r\n${HOST}\r\n`,
    verdict: 'accept',
    requests: [bare('REPORT', '/')],
  },
  refused('9112 3.2', 'NUL in the target', get('', '/\0')),
  refused('9112 3.2', 'a fragment', get('', '/a#b')),
  refused('9112 3.2', 'bytes above 0x7f in the target', get('', '/\xc3\xa4')),
  refused('9112 3.2', 'a relative path', get('', 'a')),
  {
    name: 'absolute-form',
    rule: '9112 3.2.2',
    bytes: get('', 'http://a.test/b?c'),
    verdict: 'accept',
    requests: [bare('GET', '/b?c')],
    isHandedOff: true,
  },
  {
    name: 'absolute-form against another Host: the target counts',
    rule: '9112 3.2.2',
    bytes: get('', 'http://b.test/'),
    verdict: 'either',
    requests: [{ ...GET, fields: ['host', 'b.test'] }],
    isHandedOff: true,
  },
  { ...refused('9112 3.2.3', 'CONNECT', `CONNECT a.test:443 HTTP/1.1\r\n${HOST}\r\n`), isHandedOff: true },
  refused('9112 3.2.3', 'authority-form without CONNECT', get('', 'a.test:80')),
  {
    name: 'asterisk-form',
    rule: '9112 3.2.4',
    bytes: `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`,
    verdict: 'either',
    requests: [bare('OPTIONS', '*')],
    isHandedOff: true,
  },
  refused('9112 3.2.4', 'asterisk-form without OPTIONS', get('', '*')),
];

export const HOST_CASES: readonly RequestCase[] = [
  refused('9112 3.2', 'no Host', 'GET / HTTP/1.1\r\nX-A: b\r\n\r\n'),
  refused('9112 3.2', 'two Hosts', get('Host: b.test\r\n')),
  refused('9112 3.2', 'two equal Hosts', get('host: a.test\r\n')),
  refused('9112 3.2', 'Host with a path', 'GET / HTTP/1.1\r\nHost: a.test/b\r\n\r\n'),
  refused('9112 3.2', 'Host with a user', 'GET / HTTP/1.1\r\nHost: u@a.test\r\n\r\n'),
  refused('9112 3.2', 'Host with a port of letters', 'GET / HTTP/1.1\r\nHost: a.test:http\r\n\r\n'),
  refused('9112 3.2', 'Host with a blank', 'GET / HTTP/1.1\r\nHost: a.test b.test\r\n\r\n'),
  refused('9112 3.2', 'Host with NUL', 'GET / HTTP/1.1\r\nHost: a\0.test\r\n\r\n'),
  refused('9110 4.2.3', 'Host with an open bracket', 'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n'),
  served('9110 7.2', 'Host with a port', 'GET / HTTP/1.1\r\nHost: a.test:8080\r\n\r\n'),
  served('9110 7.2', 'Host with an empty port', 'GET / HTTP/1.1\r\nHost: a.test:\r\n\r\n'),
  served('9110 7.2', 'Host with an IPv6 address', 'GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n'),
  served('9112 3.2', 'an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'),
  {
    ...served('9112 3.2', 'HTTP/1.0 without Host', 'GET / HTTP/1.0\r\n\r\n'),
    isHandedOff: true,
  },
];

export const FIELD_CASES: readonly RequestCase[] = [
  refused('9112 5.1', 'a blank before the colon', get('X-A : b\r\n')),
  refused('9112 5.1', 'HTAB before the colon', get('X-A\t: b\r\n')),
  refused('9112 5', 'no colon', get('X-A\r\n')),
  refused('9110 5.1', 'an empty name', get(': b\r\n')),
  refused('9110 5.6.2', 'a name with a separator', get('X(A): b\r\n')),
  refused('9110 5.6.2', 'a name with a byte above 0x7f', get('X\xa0: b\r\n')),
  mayBeRefused('9112 5.2', 'a folded value', get('X-A: b\r\n c\r\n')),
  mayBeRefused('9112 5.2', 'a folded line that looks like framing', get('X-A: b\r\n Content-Length: 5\r\n')),
  mayBeRefused('9110 5.5', 'NUL in a value', get('X-A: b\0c\r\n')),
  mayBeRefused('9110 5.5', 'another control byte in a value', get('X-A: b\x07c\r\n')),
  {
    name: 'no blank, several blanks and HTAB around a value',
    rule: '9112 5.1',
    bytes: get('X-A:b\r\nX-B: \t c \t\r\nX-C:\r\n'),
    verdict: 'accept',
    requests: [{ ...GET, fields: ['x-a', 'b', 'x-b', 'c', 'x-c', ''] }],
  },
  {
    name: 'bytes above 0x7f in a value',
    rule: '9110 5.5',
    bytes: get('X-A: \xe4\x85\r\n'),
    verdict: 'accept',
    requests: [{ ...GET, fields: ['x-a', '\xe4\x85'] }],
  },
  {
    name: 'a name of every byte that a token may have',
    rule: '9110 5.6.2',
    bytes: get("!#$%&'*+-.^_`|~09az: b\r\n"),
    verdict: 'accept',
    requests: [{ ...GET, fields: ["!#$%&'*+-.^_`|~09az", 'b'] }],
  },
  refused('9110 5.4', 'more fields than our limit', get('A: b\r\n'.repeat(300))),
  refused('9110 5.4', 'a field larger than our limit', get(`A: ${'b'.repeat(40_000)}\r\n`)),
];

export const CONNECTION_CASES: readonly RequestCase[] = [
  {
    name: 'fields that Connection nominates go no further',
    rule: '9110 7.6.1',
    bytes: get('Connection: x-hop, keep-alive\r\nX-Hop: 1\r\nX-Stay: 2\r\nKeep-Alive: timeout=5\r\n'),
    verdict: 'accept',
    requests: [{ ...GET, fields: ['x-stay', '2'], absent: ['x-hop', 'keep-alive'] }],
  },
  {
    name: 'a proxy-only field goes no further',
    rule: '9110 7.6.1',
    bytes: get('Proxy-Connection: keep-alive\r\nTE: gzip\r\n'),
    verdict: 'accept',
    requests: [{ ...GET, absent: ['proxy-connection'] }],
  },
  refused('9110 7.6.1', 'a nominated Host', get('Connection: host\r\n')),
  refused('9110 7.6.1', 'nominated framing', get('Connection: Content-Length\r\nContent-Length: 0\r\n')),
  refused('9110 7.6.1', 'a nominated forwarding field', get('Connection: X-Forwarded-For\r\n')),
  refused('9110 5.6.2', 'a connection option that is no token', get('Connection: keep alive\r\n')),
  {
    name: 'what follows close is no request',
    rule: '9112 9.6',
    bytes: `${get('Connection: close\r\n')}${get('', '/2')}`,
    verdict: 'accept',
    requests: [GET],
  },
  {
    name: 'pipelined requests in their order',
    rule: '9112 9.3.2',
    bytes: get('', '/1') + get('', '/2') + get('', '/3'),
    verdict: 'accept',
    requests: [bare('GET', '/1'), bare('GET', '/2'), bare('GET', '/3')],
  },
];
