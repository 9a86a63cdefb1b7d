// Rewriting of targets, its inverse, and what no client can make of it. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type TargetRewrite, TargetRewriter } from '../../../../proxy/policies/target-rewriting.ts';
import { SERVERS, SPELLINGS } from '../../../support/guarded-path.ts';

const NONE: TargetRewrite = { stripPrefix: '', addPrefix: '', path: '', regex: null, query: null };

function rewriter(parts: Partial<TargetRewrite>): TargetRewriter {
  return new TargetRewriter({ ...NONE, ...parts });
}

function rewritten(parts: Partial<TargetRewrite>, target: string): string | null {
  return rewriter(parts).rewrite(target)?.target ?? null;
}

test('a prefix of whole segments is removed', () => {
  const cases: Readonly<Record<string, string>> = {
    '/api/x?y=/api': '/x?y=/api',
    '/api': '/',
    '/api/': '/',
    '/api?x': '/?x',
    '/apis': '/apis',
    '/x/api': '/x/api',
    '*': '*',
    '/api//evil.test/x': '/evil.test/x',
    '/%61pi/x%2Fy': '/x%2Fy',
    '/api/a%20b;c=%2f': '/a%20b;c=%2f',
    '/x/../api/y': '/y',
    '/api/../y': '/y',
  };
  for (const [target, expected] of Object.entries(cases)) {
    assert.equal(rewritten({ stripPrefix: '/api' }, target), expected, target);
  }
  assert.equal(rewriter({ stripPrefix: '/api' }).rewrite('/api/x')?.isStripped, true);
  assert.equal(rewriter({ stripPrefix: '/api' }).rewrite('/x')?.isStripped, false);
});

test('prefix, expression, added prefix and query act in this order', () => {
  const regex = { match: '^/v([0-9]+)/', replacement: ['/version-', 1, '/'] };
  const parts = { stripPrefix: '/api', addPrefix: '/app', regex };
  assert.equal(rewritten(parts, '/api/v2/x?a=1'), '/app/version-2/x?a=1');
  assert.equal(rewritten(parts, '/api/x'), '/app/x');
  assert.equal(rewritten({ path: '/index.html' }, '/any/path?x=1'), '/index.html?x=1');
  assert.equal(rewritten({ regex: { match: '^/a', replacement: [''] } }, '/a//evil.test'), '/evil.test');
  assert.equal(rewritten({ regex: { match: '^.*$', replacement: ['x'] } }, '/a'), '/x');
});

test('parameters are set and removed by their decoded names, and others stay byte for byte', () => {
  const query = { set: [['source', 'a%20b']] as const, remove: ['debug', 'a[b]'] };
  const cases: Readonly<Record<string, string>> = {
    '/': '/?source=a%20b',
    '/?': '/?&source=a%20b',
    '/?x=%2f&debug=1&y': '/?x=%2f&y&source=a%20b',
    '/?de%62ug&SOURCE=1&so%75rce=2&a%5Bb%5D=1': '/?SOURCE=1&source=a%20b',
    '/?%zz=1': '/?%zz=1&source=a%20b',
  };
  for (const [target, expected] of Object.entries(cases)) assert.equal(rewritten({ query }, target), expected, target);
  assert.equal(rewritten({ query: { set: [], remove: ['a'] } }, '/x?a=1&a'), '/x');
});

test('restore is the inverse for paths that were rewritten', () => {
  const both = rewriter({ stripPrefix: '/api', addPrefix: '/app' });
  assert.deepEqual(
    ['/app/x', '/app', '/app/', '/apple', '/other'].map((path) => both.restore(path)),
    ['/api/x', '/api', '/api/', '/apple', '/other'],
  );
  assert.equal(rewriter({ stripPrefix: '/api' }).restore('/login'), '/api/login');
  assert.equal(rewriter({ addPrefix: '/app' }).restore('/app'), '/');
  assert.equal(rewriter({ stripPrefix: '/api', path: '/x' }).restore('/login'), '/login');
});

describe('a client', () => {
  test('leaves an added prefix by no spelling', () => {
    const escape = rewriter({ addPrefix: '/tenant' });
    const targets = [
      ...SPELLINGS,
      ...SPELLINGS.map((target) => `/..${target}`),
      '/..%2f..%2fx',
      '/%2e%2e;/x',
      '/..\\x',
    ];
    for (const target of targets.filter((one) => one.startsWith('/'))) {
      const sent = escape.rewrite(target)?.target;
      if (sent === undefined) continue;
      for (const [name, read] of Object.entries(SERVERS)) {
        assert.match(read(sent), /^\/tenant(?:\/|$)/, `${target} was sent as ${sent} to a server that ${name}`);
      }
    }
  });

  test('can make nothing but a target', () => {
    const piece = fc.constantFrom(
      '/',
      '//',
      '/api',
      'x',
      '%',
      '%0d%0a',
      '%20',
      '..',
      ';',
      '\\',
      '?',
      '&',
      '=',
      '{',
      'debug',
    );
    const every = rewriter({
      stripPrefix: '/api',
      addPrefix: '/app',
      regex: { match: '(x+)(.*)', replacement: [2, '$', 1] },
      query: { set: [['a', 'b']], remove: ['debug'] },
    });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const sent = every.rewrite(`/${pieces.join('')}`)?.target;
        if (sent !== undefined) assert.match(sent, /^\/app(?:\/[!-~]*|\?[!-~]*)?$/);
      }),
      { seed: 20_261_130, numRuns: 2000 },
    );
  });
});
