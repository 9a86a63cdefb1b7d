// Classification of heartbeat errors. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { resultOfError } from '../../../../health/checkers/check-errors.ts';

function errorOf(code: string, message = 'message of the library', syscall = 'connect'): Error {
  return Object.assign(new Error(message), { code, syscall });
}

describe('an error of a heartbeat', () => {
  const failures: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connection refused',
    ECONNRESET: 'connection reset',
    EPIPE: 'connection reset',
    EHOSTUNREACH: 'host unreachable',
    ENOENT: "the socket's path doesn't exist",
    UND_ERR_SOCKET: 'connection closed before the response was whole',
    CERT_HAS_EXPIRED: 'TLS failed: its certificate has expired: renew it',
    ERR_TLS_INVALID_CONTEXT: 'TLS failed: message of the library',
    SOMETHING_NEW: 'message of the library',
  };
  for (const [code, cause] of Object.entries(failures)) {
    test(`${code} is the endpoint's`, () => {
      assert.deepEqual(resultOfError(errorOf(code)), { kind: 'fail', cause });
    });
  }

  for (const code of ['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EADDRNOTAVAIL']) {
    test(`${code} is our own`, () => {
      assert.equal(resultOfError(errorOf(code)).kind, 'unknown');
    });
  }

  test('a name that is not resolved is no failure of the endpoint, whatever the resolver reports', () => {
    for (const code of ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL']) {
      const result = resultOfError(errorOf(code, '', 'getaddrinfo'));
      assert.deepEqual(result, { kind: 'unknown', cause: `name not resolved: ${code}`, isUnresolved: true });
    }
  });

  test("of undici's parser is the endpoint's, in its words", () => {
    const error = Object.assign(new Error('Response does not match (Expected HTTP/)'), { name: 'HTTPParserError' });
    assert.deepEqual(resultOfError(error), { kind: 'fail', cause: 'malformed response: Expected HTTP/' });
  });

  test('of several addresses the first counts', () => {
    const error = new AggregateError([errorOf('ECONNREFUSED'), errorOf('ENETUNREACH')]);
    assert.deepEqual(resultOfError(error), { kind: 'fail', cause: 'connection refused' });
  });

  test('a value that is no Error has a cause too', () => {
    assert.deepEqual(resultOfError('odd'), { kind: 'fail', cause: 'odd' });
    assert.deepEqual(resultOfError(errorOf('E_X', '')), { kind: 'fail', cause: 'E_X' });
  });
});
