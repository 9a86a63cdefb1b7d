// Requests and replies of etcd's JSON gateway, also malformed ones. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  isChange,
  parseRange,
  parseToken,
  rangeRequest,
  refusalIn,
  watchRequest,
} from '../../../../discovery/etcd/etcd-messages.ts';

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

describe('a request to etcd', () => {
  test('covers the keys below a prefix', () => {
    const { key, range_end: end } = JSON.parse(rangeRequest('a/')) as { key: string; range_end: string };
    assert.deepEqual([key, end], [base64('a/'), base64('a0')]);
    const last = JSON.parse(rangeRequest('é')) as { range_end: string };
    assert.deepEqual([...Buffer.from(last.range_end, 'base64')], [0xc3, 0xaa]);
  });

  test('watches from the next revision, also beyond 53 bits', () => {
    const { create_request: create } = JSON.parse(watchRequest('a/', '9007199254740993')) as {
      create_request: { start_revision: string };
    };
    assert.equal(create.start_revision, '9007199254740994');
  });
});

describe('a reply of etcd', () => {
  test('has values and a revision', () => {
    const kvs = [{ key: base64('a/1'), value: base64('http://a:1') }, { key: base64('a/2') }];
    const values = [
      { key: 'a/1', value: 'http://a:1' },
      { key: 'a/2', value: '' },
    ];
    const reply = { header: { revision: '7' }, kvs, count: '2' };
    assert.deepEqual(parseRange(JSON.stringify(reply)), { ok: true, values, revision: '7' });
    assert.deepEqual(parseRange('{"header":{"revision":"7"}}'), { ok: true, values: [], revision: '7' });
  });

  const header = '"header":{"revision":"7"}';
  for (const text of [
    '',
    'null',
    '[]',
    '{}',
    '{"header":{"revision":7}}',
    '{"header":{"revision":"-7"}}',
    `{${header},"kvs":{}}`,
    `{${header},"kvs":[null]}`,
    `{${header},"kvs":[{"key":7}]}`,
    `{${header},"kvs":[{"key":"YQ==","value":[]}]}`,
  ]) {
    test(`is malformed: ${JSON.stringify(text)}`, () => {
      const range = parseRange(text);
      assert.match(range.ok ? '' : range.cause, /^the list of keys is malformed: /);
    });
  }

  test('reports changes, compactions and errors of a watch', () => {
    const changes: Readonly<Record<string, boolean>> = {
      '{"result":{"created":true}}': false,
      '{"result":{"header":{}}}': false,
      '{"result":{"events":[]}}': false,
      '{"result":{"events":[{"type":"DELETE"}]}}': true,
      '{"result":{"canceled":true,"compact_revision":"9"}}': true,
      '{"error":{"grpc_code":14}}': true,
      '{"result":': false,
      null: false,
    };
    for (const [line, expected] of Object.entries(changes)) assert.equal(isChange(line), expected, line);
  });

  test('has tokens and refusals that are safe to use', () => {
    assert.equal(parseToken('{"token":"abc.7"}'), 'abc.7');
    for (const text of ['', '{}', '{"token":7}', '{"token":"a\\r\\nb"}', '{"token":""}'])
      assert.equal(parseToken(text), '', text);
    assert.equal(refusalIn('{"error":"x","message":"permission\\u0000 denied"}'), ': permission  denied');
    assert.equal(refusalIn('<html>'), '');
  });
});
