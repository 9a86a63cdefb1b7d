// Conformance cases for requests: their order of frames, fields, and body lengths (RFC 9113 section 8). Thread: main.

import { ErrorCode } from '../../../proxy/http2/error-code.ts';
import { fieldSection } from '../../support/http2-frames.ts';
import { data, headers, type Http2Case, requestBlock, requestFields, response, streamError, together } from './case.ts';

const { PROTOCOL_ERROR } = ErrorCode;
const POST = { ':method': 'POST' };

const SERVED: readonly Http2Case[] = [
  { section: '8.1', name: 'GET', steps: (scheme) => [headers(1, requestBlock(scheme)), response(1)] },
  {
    section: '8.1',
    name: 'HEAD',
    steps: (scheme) => [headers(1, requestBlock(scheme, { ':method': 'HEAD' })), response(1)],
  },
  {
    section: '8.1',
    name: 'POST',
    steps: (scheme) => [together(headers(1, requestBlock(scheme, POST), false), data(1)), response(1)],
  },
  {
    section: '8.1',
    name: 'POST with trailers',
    steps: (scheme) => [
      together(
        headers(1, requestBlock(scheme, { ...POST, trailer: 'x-test' }), false),
        data(1, 'test', false),
        headers(1, fieldSection(['x-test', 'ok'])),
      ),
      response(1),
    ],
  },
];

/** A malformed GET. */
const malformed = (section: string, name: string, fields: (scheme: string) => readonly string[]): Http2Case => ({
  section,
  name,
  steps: (scheme) => [headers(1, fieldSection(fields(scheme))), streamError(PROTOCOL_ERROR)],
});

const without = (section: string, name: string): Http2Case =>
  malformed(section, `no ${name}`, (scheme) => requestFields(scheme, { [name]: '' }));

const twice = (section: string, name: string, value: (scheme: string) => string): Http2Case =>
  malformed(section, `${name} twice`, (scheme) => [...requestFields(scheme), name, value(scheme)]);

const and = (section: string, name: string, ...more: readonly string[]): Http2Case =>
  malformed(section, name, (scheme) => [...requestFields(scheme), ...more]);

const bodyOf = (name: string, ...frames: readonly Buffer[]): Http2Case => ({
  section: '8.1.1',
  name,
  steps: (scheme) => [
    together(headers(1, requestBlock(scheme, { ...POST, 'content-length': '1' }), false), ...frames),
    streamError(PROTOCOL_ERROR),
  ],
});

/** After HEADERS and DATA of a POST. */
const afterBody = (section: string, name: string, fields: readonly string[], isLast: boolean): Http2Case => ({
  section,
  name,
  steps: (scheme) => [
    together(
      headers(1, requestBlock(scheme, POST), false),
      data(1, 'test', false),
      headers(1, fieldSection(fields), isLast),
    ),
    streamError(PROTOCOL_ERROR),
  ],
});

export const MESSAGE_CASES: readonly Http2Case[] = [
  ...SERVED,
  afterBody('8.1', 'a second HEADERS frame without END_STREAM', ['x-test', 'ok'], false),
  bodyOf('a body longer than content-length', data(1)),
  bodyOf('a body of two frames longer than content-length', data(1, 'test', false), data(1)),
  and('8.2.1', 'an upper-case field name', 'X-TEST', 'ok'),
  and('8.2.2', 'a connection-specific field', 'connection', 'keep-alive'),
  and('8.2.2', 'TE other than trailers', 'trailers', 'test', 'te', 'trailers, deflate'),
  and('8.3', 'an unknown pseudo-header field', ':test', 'ok'),
  and('8.3', 'a pseudo-header field of responses', ':status', '200'),
  afterBody('8.3', 'a pseudo-header field in trailers', [':method', 'POST'], true),
  malformed('8.3', 'a pseudo-header field after a regular one', (scheme) => ['x-test', 'ok', ...requestFields(scheme)]),
  malformed('8.3.1', 'an empty :path', (scheme) => [...requestFields(scheme, { ':path': '' }), ':path', '']),
  without('8.3.1', ':method'),
  without('8.3.1', ':scheme'),
  without('8.3.1', ':path'),
  twice('8.3.1', ':method', () => 'GET'),
  twice('8.3.1', ':scheme', (scheme) => scheme),
  twice('8.3.1', ':path', () => '/'),
];

/** Beyond h2spec's cases: what would split or misroute a request of HTTP/1.1. */
export const DOWNGRADE_CASES: readonly Http2Case[] = [
  and('8.2.1', 'CR and LF in a value', 'x-test', 'a\r\nb: c'),
  and('8.2.1', 'NUL in a value', 'x-test', 'a\0'),
  and('8.2.1', 'a colon in a name', 'x:test', 'a'),
  and('8.2.1', 'LF in a name', 'x\ntest', 'a'),
  and('8.2.2', 'Transfer-Encoding', 'transfer-encoding', 'chunked'),
  malformed('8.3.1', 'a blank in :path', (scheme) => requestFields(scheme, { ':path': '/a b' })),
  malformed('8.3.1', 'a request line in :method', (scheme) =>
    requestFields(scheme, { ':method': 'GET / HTTP/1.1\r\nx:' }),
  ),
  malformed('8.3.1', 'a Host that differs from :authority', (scheme) => [...requestFields(scheme), 'host', 'b.test']),
  bodyOf('a body shorter than content-length', data(1, '')),
  {
    section: '8.1.1',
    name: 'content-length with END_STREAM',
    steps: (scheme) => [headers(1, requestBlock(scheme, { 'content-length': '1' })), streamError(PROTOCOL_ERROR)],
  },
];
