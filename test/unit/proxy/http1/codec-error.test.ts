// The list of errors: numbers, names and statuses belong together.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CODEC_ERRORS, CodecError } from '../../../../proxy/http1/codec-error.ts';

describe('codec errors', () => {
  test('each number has the row of its name', () => {
    for (const [key, error] of Object.entries(CodecError)) {
      const expected = key.toLowerCase().replaceAll('_', '-').replace(/-1-0$/, '-1.0');
      assert.equal(CODEC_ERRORS[error]?.name, expected);
    }
    assert.equal(CODEC_ERRORS.length, Object.keys(CodecError).length + 1);
  });

  test('numbers are 1, 2, 3, ... without gaps', () => {
    const numbers = Object.values(CodecError);
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index + 1),
    );
  });

  test('hand-offs have no status, all other rows have an error status', () => {
    for (const row of CODEC_ERRORS.slice(1)) {
      assert.equal(row.isHandedOff, row.status === 0, row.name);
      assert.ok(row.status === 0 || (row.status >= 400 && row.status < 600), row.name);
    }
  });

  test('limits and versions have the statuses that the RFCs define for them', () => {
    const statusOf = (error: number): number => CODEC_ERRORS[error]!.status;
    assert.equal(statusOf(CodecError.TARGET_TOO_LONG), 414);
    assert.equal(statusOf(CodecError.HEAD_TOO_LARGE), 431);
    assert.equal(statusOf(CodecError.TOO_MANY_FIELDS), 431);
    assert.equal(statusOf(CodecError.VERSION_NOT_SUPPORTED), 505);
    assert.equal(statusOf(CodecError.METHOD_TOO_LONG), 501);
    assert.equal(statusOf(CodecError.UNKNOWN_TRANSFER_CODING), 501);
  });
});
