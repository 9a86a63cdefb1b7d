// References of endpoints to themselves, mapped to what clients call them. Thread: both.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  mapCookie,
  mapReference,
  mapRefresh,
  type ReferenceMap,
} from '../../../../proxy/policies/mapped-references.ts';

const MAP: ReferenceMap = {
  ownHosts: ['10.0.0.1:3000', 'app.internal'],
  scheme: 'https',
  authority: 'www.example.com',
  restorePath: (path) => `/api${path}`,
};

test('URLs of the endpoint and absolute paths are mapped, and nothing else', () => {
  const cases: Readonly<Record<string, string>> = {
    '/login?next=/x#a': '/api/login?next=/x#a',
    'http://10.0.0.1:3000/x': 'https://www.example.com/api/x',
    'HTTP://APP.internal/x?y': 'https://www.example.com/api/x?y',
    'http://app.internal': 'https://www.example.com/api/',
    'http://www.example.com/x': 'https://www.example.com/api/x',
    'https://www.example.com:443/x': 'https://www.example.com/api/x',
    '//app.internal/x': 'https://www.example.com/api/x',
    'https://www.example.com:8443/x': 'https://www.example.com:8443/x',
    'http://10.0.0.1/x': 'http://10.0.0.1/x',
    'http://app.internal@evil.test/x': 'http://app.internal@evil.test/x',
    'https://other.test/login': 'https://other.test/login',
    'mailto:a@app.internal': 'mailto:a@app.internal',
    login: 'login',
    '?page=2': '?page=2',
    '': '',
  };
  for (const [reference, expected] of Object.entries(cases)) {
    assert.equal(mapReference(reference, MAP), expected, reference);
  }
});

test('Refresh keeps its seconds and quotes', () => {
  assert.equal(mapRefresh('5; url=/x', MAP), '5; url=/api/x');
  assert.equal(mapRefresh('0;URL="http://app.internal/x"', MAP), '0;URL="https://www.example.com/api/x"');
  assert.equal(mapRefresh('5', MAP), '5');
});

test('cookies get the path and domain of the client', () => {
  const map = {
    restorePath: MAP.restorePath,
    domains: new Map([
      ['app.internal', 'example.com'],
      ['old.test', ''],
    ]),
  };
  const cases: Readonly<Record<string, string>> = {
    'a=b': 'a=b',
    'a=/; Path=/; HttpOnly': 'a=/; Path=/api; HttpOnly',
    'a=b; path=/x; Domain=.App.Internal; Secure': 'a=b; path=/api/x; Domain=example.com; Secure',
    'a=b; Domain=old.test; Max-Age=1': 'a=b; Max-Age=1',
    'a=b; Domain=other.test; Path=': 'a=b; Domain=other.test; Path=',
    'path=/x; expires=Thu, 01 Jan 2026 00:00:00 GMT': 'path=/x; expires=Thu, 01 Jan 2026 00:00:00 GMT',
  };
  for (const [line, expected] of Object.entries(cases)) assert.equal(mapCookie(line, map), expected);
  assert.equal(mapCookie('a=b; Path=/', { restorePath: null, domains: new Map() }), 'a=b; Path=/');
});
