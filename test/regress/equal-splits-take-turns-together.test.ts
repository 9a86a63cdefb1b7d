// Two routes with equal settings had one policy object, and took their turns from one sequence: requests that alternated
// between them went to one upstream each. Samples of mirrors are sequences, too. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile, newTables } from '../../config/compile/compile.ts';
import { loadConfigText } from '../../config/load.ts';
import { ForwardingBench } from '../support/forwarding.ts';

const FILE = `
listeners: [{ name: web, bind: ":8080" }]
routes:
  - { match: { path: /a }, SETTINGS }
  - { match: { path: /b }, SETTINGS }
upstreams:
  one: &one { endpoints: ["http://192.0.2.1"], health: { heartbeat: false } }
  two: *one
`;
const ALTERNATING = ['/a', '/b', '/a', '/b', '/a', '/b', '/a', '/b'];

/** Requests that the upstream `two` got of each route. */
function receivedByTwo(settings: string): Record<string, number> {
  const place = { file: 'fairlead.yaml', directory: '/', environment: {}, wallMs: 0 };
  const loaded = loadConfigText(FILE.replaceAll('SETTINGS', settings), place);
  assert.ok(loaded.ok);
  const bench = new ForwardingBench(compile(loaded.config, newTables({ endpoints: 8, upstreams: 8, listeners: 2 }), 1));
  const counts: Record<string, number> = { '/a': 0, '/b': 0 };
  for (const target of ALTERNATING) {
    bench.request({ target });
    for (const attempt of bench.attempts.splice(0)) {
      if (attempt.request.upstream.name === 'two') counts[target]!++;
      attempt.answer();
    }
  }
  return counts;
}

test('each route has its shares, whatever the settings of others are', () => {
  const split = 'split: [{ upstream: one, weight: 1 }, { upstream: two, weight: 1 }]';
  assert.deepEqual(receivedByTwo(split), { '/a': 2, '/b': 2 });
  assert.deepEqual(receivedByTwo('upstream: one, mirror: { to: two, percent: 50 }'), { '/a': 2, '/b': 2 });
});
