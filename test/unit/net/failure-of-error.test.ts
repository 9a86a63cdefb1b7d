import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errors } from 'undici';
import { EndpointError } from '../../../net/endpoint-error.ts';
import { connectFailureKind, failureOfError, lossKind } from '../../../net/failure-of-error.ts';

const FRESH = { wasSent: true, isReused: false, hasReceived: false, hasHead: false };
const REUSED = { ...FRESH, isReused: true };
const ANSWERED = { ...REUSED, hasReceived: true };
const BEGUN = { ...ANSWERED, hasHead: true };

function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}

describe('a lost connection', () => {
  for (const [name, facts, kind] of [
    ['fresh, no byte', FRESH, 'reset'],
    ['reused, no byte', REUSED, 'stale-connection'],
    ['reused, no byte, reset in use', { ...REUSED, wasCutInUse: true }, 'reset'],
    ['reused, some bytes', ANSWERED, 'reset'],
    ['head came', BEGUN, 'truncated'],
  ] as const) {
    test(`${name}: ${kind}`, () => {
      assert.equal(lossKind(facts), kind);
      for (const code of ['ECONNRESET', 'EPIPE', 'ETIMEDOUT'])
        assert.equal(failureOfError(coded(code), facts).kind, kind);
      assert.equal(failureOfError(new errors.SocketError('other side closed', {} as never), facts).kind, kind);
    });
  }
});

describe('errors of undici and node', () => {
  for (const [error, kind] of [
    [new errors.InvalidArgumentError('invalid header'), 'unsendable-request'],
    [new errors.NotSupportedError('expect'), 'unsendable-request'],
    [new errors.RequestContentLengthMismatchError(), 'unsendable-request'],
    [coded('ERR_INVALID_CHAR'), 'unsendable-request'],
    [new errors.HeadersOverflowError(), 'head-too-large'],
    [coded('HPE_HEADER_OVERFLOW'), 'head-too-large'],
    [new errors.ResponseContentLengthMismatchError(), 'truncated'],
    [coded('HPE_INVALID_EOF_STATE'), 'truncated'],
    [coded('HPE_INVALID_CHUNK_SIZE'), 'malformed-response'],
    [new errors.HTTPParserError(), 'malformed-response'],
    [new errors.ClientDestroyedError(), 'cancelled'],
    [new errors.RequestAbortedError(), 'cancelled'],
    [new TypeError('a bug of ours'), 'internal'],
    [new EndpointError('tls-failed', 'x'), 'tls-failed'],
  ] as const) {
    test(`${error.name} ${'code' in error ? error.code : ''}: ${kind}`, () => {
      const failure = failureOfError(error, { ...FRESH, wasSent: false });
      assert.equal(failure.kind, kind);
      assert.equal(failure.wasSent, false);
      assert.equal(failure.cause, error);
    });
  }

  test('a thrown value that is not an Error becomes one', () => {
    assert.equal(failureOfError('text', FRESH).cause!.message, 'text');
  });
});

describe('failures to connect', () => {
  for (const [code, isHandshake, kind] of [
    ['ECONNREFUSED', false, 'connect-refused'],
    ['ETIMEDOUT', false, 'connect-timeout'],
    ['EHOSTUNREACH', false, 'connect-failed'],
    ['ENOTFOUND', false, 'connect-failed'],
    ['EAGAIN', false, 'connect-failed'],
    ['', false, 'connect-failed'],
    ['ECONNRESET', true, 'tls-failed'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', true, 'tls-failed'],
    ['EMFILE', false, 'internal'],
    ['EADDRNOTAVAIL', false, 'internal'],
    ['ENOBUFS', true, 'internal'],
  ] as const) {
    test(`${code}${isHandshake ? ' in the handshake' : ''}: ${kind}`, () => {
      assert.equal(connectFailureKind(code, isHandshake), kind);
    });
  }
});
