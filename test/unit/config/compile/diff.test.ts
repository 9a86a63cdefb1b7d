// Differences between two Snapshots. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, newTables } from '../../../../config/compile/compile.ts';
import { describeChanges } from '../../../../config/compile/diff.ts';
import { load } from '../golden-cases.ts';

const BEFORE = `
listeners:
  - { name: web, bind: "127.0.0.1:80", limits: { body: 1MiB } }
  - { name: old, bind: ":81" }
routes:
  - { name: a, match: { path: /a }, upstream: app }
  - { name: b, match: { path: /b }, upstream: app }
  - { name: c, respond: { status: 404 } }
upstreams:
  app:
    endpoints: [http://one, { url: http://two, weight: 2 }, http://three]
    health: { heartbeat: { path: /up, interval: 2s } }
  gone: { endpoints: [http://one], health: { heartbeat: false } }
log: { level: info }
`;

function changes(after: string, before = BEFORE): string[] {
  const tables = newTables({ endpoints: 16, upstreams: 8, listeners: 8 });
  const [first, second] = [before, after].map((text, index) => {
    const result = load(text);
    assert.ok(result.ok, JSON.stringify(result));
    return compile(result.config, tables, index + 1);
  });
  return describeChanges(first!, second!);
}

test('there are no lines if only the revision changed', () => {
  assert.deepEqual(changes(BEFORE), []);
});

test('each change is one line, with units', () => {
  const after = BEFORE.replace('limits: { body: 1MiB }', 'limits: { body: none, fields: 100 }')
    .replace('  - { name: old, bind: ":81" }\n', '  - { name: new, bind: ":82" }\n')
    .replace('status: 404', 'status: 503')
    .replace('weight: 2', 'weight: 5')
    .replace('http://three', 'http://four')
    .replace('interval: 2s', 'interval: 90s')
    .replace('level: info', 'level: debug');
  assert.deepEqual(changes(after), [
    'setting log.level info -> debug',
    'listener old: removed',
    'listener web: limits.headFields 200 -> 100',
    'listener web: limits.body 1MiB -> none',
    'listener new: added',
    'route c: action.status 404 -> 503',
    'upstream app: heartbeat.interval 2s -> 90s',
    'upstream app: endpoint three:80: removed',
    'upstream app: endpoint two:80: weight 2 -> 5',
    'upstream app: endpoint four:80: added',
  ]);
});

test('routes name their upstream, and their order counts', () => {
  const after = BEFORE.replace(/( {2}- \{ name: a.*\n)( {2}- \{ name: b.*\n)/, '$2$1').replace(
    '/b }, upstream: app',
    '/b }, upstream: gone',
  );
  assert.deepEqual(changes(after), ['route b: action.upstream app -> gone', 'routes: order changed to b, a, c']);
});

test('removed and renamed upstreams are reported', () => {
  const after = BEFORE.replace('gone:', 'other:').replace('heartbeat: { path: /up, interval: 2s }', 'heartbeat: false');
  assert.deepEqual(changes(after), [
    'upstream gone: removed',
    'upstream app: heartbeat changed',
    'upstream other: added',
  ]);
});

test('certificates and keys are never shown', () => {
  const tls = (name: string) =>
    `tls: { certificates: [{ cert: certificates/${name}.pem, key: certificates/${name}.key }] }`;
  const text = (name: string) => BEFORE.replace('bind: ":81"', `bind: ":81", ${tls(name)}`);
  assert.deepEqual(changes(text('api.example.com')), ['listener old: tls changed']);
});

test('secrets are never shown, neither new ones nor changed ones', () => {
  const text = (sticky: string) => BEFORE.replace('gone: {', `gone: { ${sticky} `);
  const before = text('sticky: { cookie: s, secret: a secret of last year },');
  const after = text('sticky: { cookie: s, secrets: [a secret of this year, a secret of last year], maxIdle: 1h },');
  assert.deepEqual(changes(after, before), [
    'upstream gone: sticky.secrets changed',
    'upstream gone: sticky.maxIdle 30m -> 1h',
  ]);
  for (const [from, to] of [
    [BEFORE, after],
    [after, BEFORE],
    [text('slowStart: 1s,'), after],
  ] as const) {
    const lines = changes(to, from).join('\n');
    assert.match(lines, /sticky/);
    assert.doesNotMatch(lines, /year/);
  }
});
