// Answers with a file: conditions in the order of RFC 9110, ranges, fields. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FieldList } from '../../../../core/head.ts';
import type { FilesSnapshot } from '../../../../core/snapshot/route.ts';
import { answerWith, type FileAnswer, type FileFacts } from '../../../../proxy/files/file-answer.ts';
import { fieldOf, requestHead } from '../../../support/request-head.ts';

const MODIFIED = Date.UTC(2030, 0, 2, 3, 4, 5);
const DATE = new Date(MODIFIED).toUTCString();
const LATER = new Date(MODIFIED + 5000).toUTCString();
const EARLIER = new Date(MODIFIED - 5000).toUTCString();
const FILES: FilesSnapshot = {
  root: '/srv',
  index: [],
  spaFallback: '',
  precompressed: [],
  cacheControl: [],
  dotFiles: false,
};
const FILE: FileFacts = { name: 'a/b.css', coding: null, sizeBytes: 1000, modifiedMs: MODIFIED + 700, version: 'v1' };

function answer(
  fields: FieldList,
  more: { method?: string; file?: Partial<FileFacts>; files?: Partial<FilesSnapshot> } = {},
): FileAnswer {
  const request = requestHead({ method: more.method ?? 'GET', fields });
  return answerWith({ ...FILE, ...more.file }, request, { ...FILES, ...more.files });
}

test('a file has its type, validators, and accepts ranges', () => {
  const { status, fields, start, length } = answer([]);
  assert.deepEqual([status, start, length], [200, 0, 1000]);
  assert.deepEqual(fields, [
    'Content-Type',
    'text/css; charset=utf-8',
    'ETag',
    '"v1"',
    'Last-Modified',
    DATE,
    'Accept-Ranges',
    'bytes',
  ]);
});

test('a precompressed variant has a tag of its own and says what it depends on', () => {
  const { fields } = answer([], { file: { coding: 'br' }, files: { precompressed: ['br'] } });
  assert.equal(fieldOf(fields, 'etag'), '"v1-br"');
  assert.equal(fieldOf(fields, 'content-encoding'), 'br');
  assert.equal(fieldOf(fields, 'vary'), 'Accept-Encoding');
});

test('the first rule that fits sets Cache-Control, on a 304 too', () => {
  const cacheControl = [
    { kind: 'suffix', text: '.html', value: 'no-cache' },
    { kind: 'prefix', text: '/a/', value: 'immutable' },
    { kind: 'all', text: '', value: 'max-age=60' },
  ] as const;
  for (const [name, value] of [
    ['a/index.html', 'no-cache'],
    ['a/b.css', 'immutable'],
    ['b/a/c.css', 'max-age=60'],
  ] as const) {
    const { fields } = answer(['If-None-Match', '*'], { file: { name }, files: { cacheControl } });
    assert.equal(fieldOf(fields, 'cache-control'), value);
  }
});

describe('conditions', () => {
  const CASES: readonly [fields: FieldList, status: number][] = [
    [['If-None-Match', '"v1"'], 304],
    [['If-None-Match', 'W/"v1"'], 304],
    [['If-None-Match', '"a", "v1"'], 304],
    [['If-None-Match', '*'], 304],
    [['If-None-Match', '"v2"'], 200],
    [['If-None-Match', 'v1'], 200],
    [['If-None-Match', '"v2"', 'If-Modified-Since', LATER], 200],
    [['If-Modified-Since', DATE], 304],
    [['If-Modified-Since', LATER], 304],
    [['If-Modified-Since', EARLIER], 200],
    [['If-Modified-Since', 'yesterday'], 200],
    [['If-Match', '"v1"'], 200],
    [['If-Match', '*'], 200],
    [['If-Match', 'W/"v1"'], 412],
    [['If-Match', '"v2"'], 412],
    [['If-Match', '"v1"', 'If-Unmodified-Since', EARLIER], 200],
    [['If-Match', '"v1"', 'If-None-Match', '"v1"'], 304],
    [['If-Unmodified-Since', EARLIER], 412],
    [['If-Unmodified-Since', DATE], 200],
    [['If-None-Match', '"v1"', 'Range', 'bytes=0-1'], 304],
  ];
  for (const [fields, status] of CASES) {
    test(fields.join(' '), () => {
      assert.equal(answer(fields).status, status);
      assert.equal(answer(fields, { method: 'HEAD' }).status, status);
    });
  }
});

describe('ranges', () => {
  const CASES: readonly [range: string, part: string][] = [
    ['bytes=0-0', '0-0'],
    ['bytes=0-499', '0-499'],
    ['bytes=500-', '500-999'],
    ['bytes=999-2000', '999-999'],
    ['bytes=-1', '999-999'],
    ['bytes=-5000', '0-999'],
    ['BYTES = 1 - 2', '1-2'],
    ['bytes=1000-', 'unsatisfiable'],
    ['bytes=99999999999999999999-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-1', 'whole'],
    ['bytes=-', 'whole'],
    ['bytes=a-b', 'whole'],
    ['bytes=0-1,5-6', 'whole'],
    ['lines=0-1', 'whole'],
  ];
  for (const [range, part] of CASES) {
    test(range, () => {
      const { status, fields, start, length } = answer(['Range', range]);
      if (part === 'whole') assert.deepEqual([status, start, length], [200, 0, 1000]);
      else if (part === 'unsatisfiable')
        assert.deepEqual([status, fieldOf(fields, 'content-range')], [416, 'bytes */1000']);
      else {
        assert.deepEqual([status, fieldOf(fields, 'content-range')], [206, `bytes ${part}/1000`]);
        assert.equal(`${start}-${start + length - 1}`, part);
      }
    });
  }

  test('of an empty file are never satisfiable', () => {
    assert.equal(answer(['Range', 'bytes=0-'], { file: { sizeBytes: 0 } }).status, 416);
  });

  test('are for GET, and for the version that If-Range names', () => {
    assert.equal(answer(['Range', 'bytes=0-1'], { method: 'HEAD' }).status, 200);
    for (const [condition, status] of [
      ['"v1"', 206],
      ['W/"v1"', 200],
      ['"v2"', 200],
      [DATE, 206],
      [LATER, 200],
    ] as const) {
      assert.equal(answer(['Range', 'bytes=0-1', 'If-Range', condition]).status, status, condition);
    }
  });
});
