// Schema as a source: key paths, descriptions, the reference page, JSON Schema. Thread: main.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { renderEditorSchema } from '../../../../config/schema/editor-schema.ts';
import { isKnownKey, knownKeys } from '../../../../config/schema/known-keys.ts';
import { PROBLEM_CODES } from '../../../../config/problems/problem.ts';
import { configSchema } from '../../../../config/schema/schema.ts';
import { defaultText, expectsOf, metaOf, schemaAt } from '../../../../config/schema/schema-tree.ts';
import { renderErrors } from '../../../../scripts/config-docs/config-errors.ts';
import { renderReference } from '../../../../scripts/config-docs/config-reference.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../..');

describe('key paths', () => {
  test('cover the contract of docs/design.md 6', () => {
    const contract = [
      'workers',
      'listeners[].bind',
      'listeners[].tls.certificates[].cert',
      'routes[].match.host',
      'routes[].match.path.exact',
      'upstreams.*.balance.boundedLoad',
      'upstreams.*.endpoints[].backup',
      'upstreams.*.health.heartbeat.rise',
      'upstreams.*.health.passive.ejection.base',
      'upstreams.*.retry.budget.ratio',
      'upstreams.*.hedge.after',
      'upstreams.*.timeouts.queue',
      'upstreams.*.limits.maxQueue',
      'upstreams.*.slowStart',
      'upstreams.*.sticky.cookie',
      'admin.bind',
      'accessLog.output',
    ];
    for (const key of contract) assert.ok(isKnownKey(key), key);
  });

  test('may omit or number list items', () => {
    for (const key of ['listeners.bind', 'listeners[0].bind', 'upstreams.*.endpoints.weight'])
      assert.ok(isKnownKey(key), key);
    for (const key of ['listener.bind', 'upstreams.app.retry', 'upstreams.*.hedges', '', 'toString'])
      assert.ok(!isKnownKey(key), key);
  });
});

describe('every key', () => {
  for (const { path: key, schema } of knownKeys()) {
    test(`${key} has a description and accepted values`, () => {
      const { description = '' } = metaOf(schema);
      assert.match(description, /^\S.*[.!]$/s);
      assert.doesNotMatch(expectsOf(schema), /undefined|\[object/);
      assert.doesNotMatch(defaultText(schema) ?? '', /undefined|\[object/);
    });
  }
});

test('a path leads to its key or to null', () => {
  const at = (...steps: (string | number)[]) => schemaAt(configSchema(), steps);
  assert.equal(expectsOf(at('upstreams', 'any', 'endpoints', 3, 'weight')!), 'a whole number from 1 to 256');
  assert.equal(at('upstreams', 'any', 'nothing'), null);
  assert.equal(at('workers', 0), null);
  assert.equal(at('nothing', 'at', 'all'), null);
});

for (const [name, render] of Object.entries({
  'docs/config-reference.md': renderReference,
  'docs/config-errors.md': renderErrors,
  'fairlead.schema.json': renderEditorSchema,
})) {
  test(`${name} is up to date`, () => {
    const page = readFileSync(path.join(ROOT, name), 'utf8');
    assert.ok(page === render(), 'stale: run node scripts/generate-config-reference.ts');
  });
}

test('the reference has every key and every code', () => {
  const page = renderReference();
  const plain = (text: string): string => text.replaceAll('[]', '');
  for (const { path: key } of knownKeys()) assert.ok(plain(page).includes(plain(key)), key);
  for (const code of Object.keys(PROBLEM_CODES)) assert.ok(page.includes(`| ${code} |`), code);
});
