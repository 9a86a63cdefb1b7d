// Overload limits, priorities and adaptive limits, from YAML to the Snapshot. Thread: main.

import assert from 'node:assert/strict';
import os from 'node:os';
import { describe, test } from 'node:test';
import { compile, newTables } from '../../../../config/compile/compile.ts';
import { compileOverload } from '../../../../config/compile/compile.ts';
import { overload } from '../../../../config/schema/schema-process.ts';
import type { Snapshot } from '../../../../core/snapshot/snapshot.ts';
import { load } from '../golden-cases.ts';

const MIB = 2 ** 20;

function snapshotOf(more: string, route = '{ upstream: app }'): Snapshot {
  const text = `
listeners: [{ name: web, bind: ":80" }]
routes: [${route}]
upstreams: { app: { endpoints: [http://a], health: { heartbeat: {} }, limits: { concurrency: auto } } }
${more}`;
  const result = load(text);
  assert.ok(result.ok, JSON.stringify(result));
  return compile(result.config, newTables({ endpoints: 8, upstreams: 4, listeners: 4 }), 1);
}

describe('overload', () => {
  test('limits only memory and replay buffers by default', () => {
    const { memoryBytes, ...rest } = snapshotOf('').overload;
    assert.ok(memoryBytes > 0 && memoryBytes <= 0.7 * os.totalmem());
    assert.deepEqual(rest, { requests: 0, eventLoopLagMs: 0, replayBytes: 64 * MIB });
  });

  test('auto is 70 % of the available memory', () => {
    assert.equal(compileOverload(overload.parse({}), 1_000 * MIB).memoryBytes, 700 * MIB);
  });

  test('accepts sizes, counts, durations and none', () => {
    const given = 'overload: { memory: 2GiB, requests: 500, eventLoopLag: 50ms, replayBuffers: 8MiB }';
    assert.deepEqual(snapshotOf(given).overload, {
      memoryBytes: 2048 * MIB,
      requests: 500,
      eventLoopLagMs: 50,
      replayBytes: 8 * MIB,
    });
    assert.equal(snapshotOf('overload: { memory: none }').overload.memoryBytes, 0);
  });

  test('refuses limits below the needs of a worker', () => {
    for (const memory of ['1MiB', '3', 'some']) {
      const result = load(`
listeners: [{ name: web, bind: ":80" }]
routes: [{ respond: { body: x } }]
overload: { memory: ${memory} }`);
      assert.ok(!result.ok, memory);
    }
  });
});

test('the priority of a route is default unless set', () => {
  const priorityOf = (route: string): string => snapshotOf('', route).routes[0]!.priority;
  assert.equal(priorityOf('{ upstream: app }'), 'default');
  assert.equal(priorityOf('{ upstream: app, priority: sheddable }'), 'sheddable');
});

test('concurrency: auto makes limits adaptive', () => {
  assert.equal(snapshotOf('').upstreams[0]!.limits.isAdaptive, true);
});
