// Limits on heads: the largest accepted size. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DEFAULT_HEAD_LIMITS, type HeadLimits } from '../../../../proxy/http1/head-scanner.ts';
import { scanText } from '../../../support/http1-scan.ts';

const LIMITS: HeadLimits = { headBytes: 200, startLineBytes: 60, fields: 4 };
const HOST = 'Host: a\r\n';

/** A request of exactly this many bytes. */
function requestOf(size: number): string {
  const bare = `GET / HTTP/1.1\r\n${HOST}X: \r\n\r\n`;
  return bare.replace('X: ', `X: ${'x'.repeat(size - bare.length)}`);
}

function lineOf(size: number): string {
  return `GET /${'a'.repeat(size - 'GET / HTTP/1.1\r\n'.length)} HTTP/1.1\r\n${HOST}\r\n`;
}

describe('limits on heads', () => {
  test('a head of exactly the limit is accepted, one byte more is not', () => {
    assert.equal(scanText('request', requestOf(200), LIMITS).outcome, 'complete');
    assert.equal(scanText('request', requestOf(201), LIMITS).outcome, 'head-too-large');
  });

  test('an endless head is refused at the limit, not before', () => {
    const endless = requestOf(400).slice(0, 250);
    assert.equal(scanText('request', endless.slice(0, 199), LIMITS).outcome, 'incomplete');
    assert.equal(scanText('request', endless.slice(0, 200), LIMITS).outcome, 'head-too-large');
    assert.equal(scanText('request', endless, LIMITS).outcome, 'head-too-large');
  });

  test('a body after the head does not count', () => {
    assert.equal(scanText('request', `${requestOf(200)}${'b'.repeat(500)}`, LIMITS).outcome, 'complete');
  });

  test('an empty line before the head does not count', () => {
    assert.equal(scanText('request', `\r\n${requestOf(200)}`, LIMITS).outcome, 'complete');
    assert.equal(scanText('request', `\r\n${requestOf(201)}`, LIMITS).outcome, 'head-too-large');
  });

  test('a request line of exactly the limit is accepted, one byte more is 414', () => {
    assert.equal(scanText('request', lineOf(60), LIMITS).outcome, 'complete');
    assert.equal(scanText('request', lineOf(61), LIMITS).outcome, 'target-too-long');
    assert.equal(scanText('request', lineOf(61).slice(0, 59), LIMITS).outcome, 'incomplete');
    assert.equal(scanText('request', lineOf(90).slice(0, 60), LIMITS).outcome, 'target-too-long');
  });

  test('a status line has a limit, too', () => {
    const line = (size: number): string => `HTTP/1.1 200 ${'r'.repeat(size - 15)}\r\n\r\n`;
    assert.equal(scanText('response', line(60), LIMITS).outcome, 'complete');
    assert.equal(scanText('response', line(61), LIMITS).outcome, 'status-line-too-long');
  });

  test('fields up to the limit are accepted, one more is refused', () => {
    const fields = (count: number): string => `GET / HTTP/1.1\r\n${HOST}${'A: b\r\n'.repeat(count - 1)}\r\n`;
    assert.equal(scanText('request', fields(4), LIMITS).outcome, 'complete');
    assert.equal(scanText('request', fields(5), LIMITS).outcome, 'too-many-fields');
  });

  test('a fault before a limit is reported as itself', () => {
    const text = requestOf(400).replace('X: ', 'X : ');
    assert.equal(scanText('request', text, LIMITS).outcome, 'space-after-name');
  });

  test('the defaults are 32 KiB, 16 KiB for the first line, and 200 fields', () => {
    assert.deepEqual(DEFAULT_HEAD_LIMITS, { headBytes: 32_768, startLineBytes: 16_384, fields: 200 });
    assert.equal(scanText('request', requestOf(32_768)).outcome, 'complete');
    assert.equal(scanText('request', requestOf(32_769)).outcome, 'head-too-large');
    assert.equal(scanText('request', lineOf(16_384)).outcome, 'complete');
    assert.equal(scanText('request', lineOf(16_385)).outcome, 'target-too-long');
  });
});
