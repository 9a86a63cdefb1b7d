// Cost grows linearly with size: ten times the configuration takes about ten times the CPU time. Ratios, because absolute
// times differ between machines. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { shortOrLong } from '../../support/test-length.ts';
import { load } from './golden-cases.ts';

/** The large one has ten times as many. */
const SMALL = shortOrLong(150, 400);

const HEAD = 'listeners: [{ name: web, bind: ":80" }]\n';
const HEALTH = 'health: { heartbeat: { path: /healthz } }';

const lines = (count: number, line: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => line(n)).join('\n');
const address = (n: number): string => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;

/** Texts by size. */
const SHAPES: Readonly<Record<string, (count: number) => string>> = {
  'endpoints of one upstream': (count) =>
    `${HEAD}routes: [{ upstream: app }]\nupstreams:\n  app:\n    ${HEALTH}\n    endpoints:\n` +
    lines(count, (n) => `      - { url: "http://${address(n)}:3000", weight: ${1 + (n % 9)} }`),
  'upstreams with a route each': (count) =>
    `${HEAD}routes:\n${lines(count, (n) => `  - { match: { host: h${n}.example.com, path: /v${n}/ }, upstream: u${n} }`)}\nupstreams:\n` +
    lines(count, (n) => `  u${n}: { endpoints: ["http://${address(n)}:80"], ${HEALTH} }`),
  'routes that differ in a field only': (count) =>
    `${HEAD}routes:\n${lines(count, (n) => `  - { match: { path: /a, header: { x-n: "${n}" } }, respond: {} }`)}`,
  'hosts of one route': (count) =>
    `${HEAD}routes:\n  - respond: {}\n    match:\n      host:\n${lines(count, (n) => `        - h${n}.example.com`)}`,
  mistakes: (count) =>
    `${HEAD}routes: [{ upstream: app }]\nupstreams:\n  app:\n    ${HEALTH}\n    endpoints:\n` +
    lines(count, (n) => `      - { url: "http://${address(n)}:3000", wieght: 1 }`),
  'mistakes in one long line': (count) =>
    `${HEAD}routes: [{ upstream: app }]\nupstreams: { app: { ${HEALTH}, endpoints: [${lines(count, (n) => `{ url: "http://${address(n)}", wieght: 1 }`).replaceAll('\n', ', ')}] } }`,
};

/** CPU time in ms, the minimum of several runs. */
function cost(text: string, runs: number): number {
  let least = Infinity;
  for (let run = 0; run < runs; run++) {
    const before = process.cpuUsage();
    load(text);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

describe('ten times the size costs less than thirty times the CPU time', () => {
  for (const [name, make] of Object.entries(SHAPES)) {
    test(name, () => {
      const small = cost(make(SMALL), 6);
      const large = cost(make(10 * SMALL), 2);
      assert.ok(large < 30 * Math.max(small, 1), `${small} ms, then ${large} ms`);
    });
  }
});

test('ten thousand endpoints are accepted', () => {
  const result = load(SHAPES['endpoints of one upstream']!(10_000));
  assert.ok(result.ok);
  assert.equal(result.config.settings.upstreams['app']?.endpoints.length, 10_000);
  assert.deepEqual(result.warnings, []);
});
