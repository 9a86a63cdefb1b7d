// Heads that a scan refuses, and the names of the faults. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CODEC_ERRORS } from '../../../../proxy/http1/codec-error.ts';
import { scanText } from '../../../support/http1-scan.ts';

type Case = readonly [what: string, error: string, text: string];

const HOST = 'Host: a\r\n';
const END = '\r\n\r\n';
/** A request with this request line; with this field line before or after Host. */
const line = (text: string): string => `${text}\r\n${HOST}\r\n`;
const field = (text: string): string => `GET / HTTP/1.1\r\n${text}\r\n${HOST}\r\n`;

const REQUEST_LINES: readonly Case[] = [
  ['a method with a separator', 'bad-method', line('GE(T / HTTP/1.1')],
  ['a method with NUL', 'bad-method', line('G\0ET / HTTP/1.1')],
  ['a method with a byte above 0x7f', 'bad-method', line('G\xc9T / HTTP/1.1')],
  ['no method', 'bad-method', line(' / HTTP/1.1')],
  ['HTAB behind the method', 'bad-method', line('GET\t/ HTTP/1.1')],
  ['a bare LF before the request', 'bad-method', `\n${line('GET / HTTP/1.1')}`],
  ['two empty lines before the request', 'bad-method', `\r\n\r\n${line('GET / HTTP/1.1')}`],
  ['CR and another byte before the request', 'bare-cr', `\rX${line('GET / HTTP/1.1')}`],
  ['TLS bytes', 'bad-method', '\x16\x03\x01\x02\x00\x01'],
  ['a method of 129 bytes', 'method-too-long', line(`${'M'.repeat(129)} / HTTP/1.1`)],
  ['two blanks behind the method', 'bad-target', line('GET  / HTTP/1.1')],
  ['a blank in the target', 'bad-request-line', line('GET /a b HTTP/1.1')],
  ['two blanks behind the target', 'bad-request-line', line('GET /  HTTP/1.1')],
  ['no version (HTTP/0.9)', 'bad-request-line', line('GET /')],
  ['a blank in place of the version', 'bad-request-line', line('GET / ')],
  ['HTAB in the target', 'bad-target', line('GET /a\tb HTTP/1.1')],
  ['NUL in the target', 'bad-target', line('GET /\0 HTTP/1.1')],
  ['DEL in the target', 'bad-target', line('GET /\x7f HTTP/1.1')],
  ['a byte above 0x7f in the path', 'bad-target', line('GET /\xe9 HTTP/1.1')],
  ['a byte above 0x7f in the query', 'bad-target', line('GET /?\xe9 HTTP/1.1')],
  ['a relative target', 'bad-target', line('GET a/b HTTP/1.1')],
  ['authority-form without CONNECT', 'bad-target', line('GET a.test:80 HTTP/1.1')],
  ['asterisk-form without OPTIONS', 'bad-target', line('GET * HTTP/1.1')],
  ['an asterisk and more', 'bad-target', line('OPTIONS */a HTTP/1.1')],
  ['a fragment in the path', 'fragment-in-target', line('GET /a#b HTTP/1.1')],
  ['a fragment in the query', 'fragment-in-target', line('GET /?a#b HTTP/1.1')],
  ['another protocol', 'bad-request-line', line('GET / ICY/1.0')],
  ['a misspelt protocol', 'bad-version', line('GET / HTP/1.1')],
  ['a lower-case protocol', 'bad-request-line', line('GET / http/1.1')],
  ['a version of two digits', 'bad-version', line('GET / HTTP/11.1')],
  ['a minor version of two digits', 'bad-version', line('GET / HTTP/1.10')],
  ['a version without a minor one', 'bad-version', line('GET / HTTP/1')],
  ['a blank behind the version', 'bad-version', line('GET / HTTP/1.1 ')],
  ['NUL behind the version', 'bad-version', line('GET / HTTP/1.1\0')],
  ['HTTP/2.1', 'version-not-supported', line('GET / HTTP/2.1')],
  ['HTTP/2.0', 'version-not-supported', line('GET / HTTP/2.0')],
  ['HTTP/0.9', 'version-not-supported', line('GET / HTTP/0.9')],
  ['a request line that ends in LF', 'bare-lf', `GET / HTTP/1.1\n${HOST}\r\n`],
  ['a request line that ends in CR', 'bare-cr', `GET / HTTP/1.1\r${HOST}\r\n`],
  ['two CRs behind the request line', 'bare-cr', `GET / HTTP/1.1\r\r\n${HOST}\r\n`],
];

const FIELD_LINES: readonly Case[] = [
  ['a blank before the colon', 'space-after-name', field('X-A : b')],
  ['HTAB before the colon', 'space-after-name', field('X-A\t: b')],
  ['a blank in the name', 'space-after-name', field('X A: b')],
  ['no name', 'empty-name', field(': b')],
  ['no colon', 'missing-colon', field('X-A')],
  ['NUL in the name', 'bad-name', field('X\0A: b')],
  ['a separator in the name', 'bad-name', field('X[A]: b')],
  ['a byte above 0x7f in the name', 'bad-name', field('X\x85: b')],
  ['CR in the name', 'bare-cr', field('X\rA: b')],
  ['LF in the name', 'bare-lf', field('X\nA: b')],
  ['a folded line', 'folded-line', field('X-A: b\r\n c')],
  ['a folded line with HTAB', 'folded-line', field('X-A: b\r\n\tc: d')],
  ['a blank line right behind the request line', 'folded-line', `GET / HTTP/1.1\r\n ${HOST}\r\n`],
  ['NUL in a value', 'bad-value', field('X-A: b\0c')],
  ['NUL at the end of a value', 'bad-value', field('X-A: b\0')],
  ['VT in a value', 'bad-value', field('X-A: \x0bb')],
  ['FF in a value', 'bad-value', field('X-A: b\x0cc')],
  ['DEL in a value', 'bad-value', field('X-A: b\x7f')],
  ['CR in a value', 'bare-cr', field('X-A: b\rX-B: c')],
  ['CR at the end of a value', 'bare-cr', field('X-A: b\r')],
  ['LF in a value', 'bare-lf', field('X-A: b\nX-B: c')],
  ['LF behind the colon', 'bare-lf', field('X-A:\n')],
  ['an empty line of LF alone', 'bare-lf', `GET / HTTP/1.1\r\n${HOST}\n`],
  ['an empty line of CR alone', 'bare-cr', `GET / HTTP/1.1\r\n${HOST}\rX`],
];

const HOSTS: readonly Case[] = [
  ['no Host', 'missing-host', `GET / HTTP/1.1\r\nX-A: b${END}`],
  ['no field at all', 'missing-host', `GET / HTTP/1.1${END}`],
  ['two Hosts', 'repeated-host', field('Host: b')],
  ['two equal Hosts', 'repeated-host', field('host: a')],
  ['an invalid Host', 'bad-host', `GET / HTTP/1.1\r\nHost: a/b${END}`],
  ['two names in one Host', 'bad-host', `GET / HTTP/1.1\r\nHost: a, b${END}`],
];

const HANDED_OFF: readonly Case[] = [
  ['absolute-form', 'absolute-form', line('GET http://a/b HTTP/1.1')],
  ['absolute-form of any scheme', 'absolute-form', line('GET aZ+z-c.1://x HTTP/1.1')],
  ['asterisk-form', 'asterisk-form', line('OPTIONS * HTTP/1.1')],
  ['CONNECT', 'connect-method', line('CONNECT a:443 HTTP/1.1')],
  ['HTTP/1.0', 'http-1.0', `GET / HTTP/1.0${END}`],
  ['HTTP/1.2', 'later-http-1', `GET / HTTP/1.2${END}`],
  ['HTTP/1.9', 'later-http-1', `GET / HTTP/1.9${END}`],
  ['an HTTP/2 preface', 'http-2-preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
];

const STATUS_LINES: readonly Case[] = [
  ['something else', 'bad-status-line', 'hello, this is not HTTP\n'],
  ['an empty line before it', 'bad-status-line', `\r\nHTTP/1.1 200 OK${END}`],
  ['another protocol', 'bad-status-line', `ICY 200 OK${END}`],
  ['a misspelt protocol', 'bad-version', `HTP/1.1 200 OK${END}`],
  ['a version of two digits', 'bad-version', `HTTP/1.01 200 OK${END}`.replace('1.01', '01.1')],
  ['HTTP/2.0', 'version-not-supported', `HTTP/2.0 200 OK${END}`],
  ['a minor version of two digits', 'bad-status-line', `HTTP/1.10 200 OK${END}`],
  ['HTAB behind the version', 'bad-status-line', `HTTP/1.1\t200 OK${END}`],
  ['two blanks before the status', 'bad-status-code', `HTTP/1.1  200 OK${END}`],
  ['a status of letters', 'bad-status-code', `HTTP/1.1 abc OK${END}`],
  ['a status of one digit', 'bad-status-code', `HTTP/1.1 2 OK${END}`],
  ['a status of four digits', 'bad-status-code', `HTTP/1.1 2000 OK${END}`],
  ['a negative status', 'bad-status-code', `HTTP/1.1 -20 OK${END}`],
  ['a status below 100', 'bad-status-code', `HTTP/1.1 099 OK${END}`],
  ['a status above 599', 'bad-status-code', `HTTP/1.1 600 OK${END}`],
  ['NUL in the reason', 'bad-status-line', `HTTP/1.1 200 O\0K${END}`],
  ['CR in the reason', 'bare-cr', `HTTP/1.1 200 O\rK${END}`],
  ['LF behind the reason', 'bare-lf', `HTTP/1.1 200 OK\nX: y${END}`],
  ['LF behind the status', 'bad-status-code', 'HTTP/1.1 200\nX: y\r\n\r\n'],
  ['a blank before a colon', 'space-after-name', `HTTP/1.1 200 OK\r\nX : y${END}`],
  ['a folded line', 'folded-line', `HTTP/1.1 200 OK\r\nX: y\r\n z${END}`],
];

function refuses(side: 'request' | 'response', cases: readonly Case[], isHandedOff: boolean): void {
  for (const [what, error, text] of cases) {
    test(`${what}: ${error}`, () => {
      assert.equal(scanText(side, text).outcome, error);
      assert.equal(CODEC_ERRORS.find((row) => row.name === error)?.isHandedOff, isHandedOff);
    });
  }
}

describe('a request line is refused for', () => refuses('request', REQUEST_LINES, false));
describe('field lines are refused for', () => refuses('request', FIELD_LINES, false));
describe('a request is refused for', () => refuses('request', HOSTS, false));
describe('the fast path hands off', () => refuses('request', HANDED_OFF, true));
describe('a response is refused for', () => refuses('response', STATUS_LINES, false));
