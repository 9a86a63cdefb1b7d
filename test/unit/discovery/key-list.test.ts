// Lists of endpoints in a key-value store. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseEndpointList } from '../../../config/files/endpoint-list.ts';
import { endpointsOfKeys } from '../../../discovery/key-list.ts';

function hostsOf(...values: readonly string[]): string {
  const stored = values.map((value, at) => ({ key: `p/${at}`, value }));
  const list = endpointsOfKeys(stored, parseEndpointList);
  return list.ok ? list.endpoints.map(({ host, weight }) => `${host}*${weight}`).join(' ') : list.cause;
}

describe('a value of a key-value store', () => {
  const forms: Readonly<Record<string, string>> = {
    'http://a:1': 'a*1',
    ' http://a:1\n': 'a*1',
    '{ url: http://a:1, weight: 3 }': 'a*3',
    '{"url":"http://a:1","weight":3}': 'a*3',
    'url: http://a:1\nweight: 3\nmetadata:\n  version: "7"\n': 'a*3',
    '- http://a:1\n- http://b:1': 'a*1 b*1',
    '["http://a:1", "http://b:1"]': 'a*1 b*1',
    '[]': '',
  };
  for (const [value, hosts] of Object.entries(forms)) {
    test(`is ${JSON.stringify(value)}`, () => assert.equal(hostsOf(value), hosts));
  }

  test('is one part of the set, which a mistake refuses as a whole', () => {
    assert.equal(hostsOf('http://a:1', '- http://b:1'), 'a*1 b*1');
    assert.match(hostsOf('http://a:1', 'http:/b'), /^key p\/1:1:3: /);
    assert.match(hostsOf(''), /^key p\/0:/);
  });
});
