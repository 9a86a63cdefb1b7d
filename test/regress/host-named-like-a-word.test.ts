// `host: endpoint` was a word inside a text, so that a host of that name could not be configured. Hosts of any name are
// configurable, at every place that takes a host. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, newTables } from '../../config/compile/compile.ts';
import { loadConfigText } from '../../config/load.ts';
import type { HostField } from '../../core/snapshot/route.ts';

function hostFieldOf(host: string): { field: HostField; warnings: string[] } {
  const text = `listeners: [{ name: web, bind: ":80" }]
routes: [{ upstream: app, host: ${host} }]
upstreams: { app: { endpoints: [http://a], health: { heartbeat: false } } }
`;
  const result = loadConfigText(text, { file: 'f.yaml', directory: '/', environment: {}, wallMs: 0 });
  assert.ok(result.ok, JSON.stringify(result));
  const tables = newTables({ endpoints: 1, upstreams: 1, listeners: 1 });
  return {
    field: compile(result.config, tables, 1).routes[0]!.hostField,
    warnings: result.warnings.map(({ code }) => code),
  };
}

for (const name of [
  'endpoint',
  'preserve',
  'client',
  'none',
  'auto',
  'constructor',
  '__proto__',
  'app.internal:8080',
]) {
  test(`a host named ${name} can be sent`, () => {
    assert.deepEqual(hostFieldOf(`{ name: ${name} }`), { field: { kind: 'fixed', value: name }, warnings: [] });
  });
}

test('a text is a fixed host, but for the two deprecated words', () => {
  assert.deepEqual(hostFieldOf('constructor'), { field: { kind: 'fixed', value: 'constructor' }, warnings: [] });
  assert.deepEqual(hostFieldOf('endpoint'), { field: { kind: 'endpoint' }, warnings: ['FL9022'] });
  assert.deepEqual(hostFieldOf('preserve'), { field: { kind: 'client' }, warnings: ['FL9022'] });
});

test('the sources have a form that no host name can have', () => {
  assert.deepEqual(hostFieldOf('{ from: endpoint }'), { field: { kind: 'endpoint' }, warnings: [] });
  assert.deepEqual(hostFieldOf('{ from: client }'), { field: { kind: 'client' }, warnings: [] });
});
