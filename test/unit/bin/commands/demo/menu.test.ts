// Keys and lines of the demo's menu. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  actText,
  helpText,
  isOfProcess,
  loadText,
  nextCanaryWeight,
  selectedText,
  stepOf,
} from '../../../../../bin/commands/demo/menu.ts';

const APPS = [3001, 3002].map((port) => ({ name: `app/127.0.0.1:${port}`, upstream: 'app', port, pid: 1 }));

test('keys choose a server, act on it, and leave', () => {
  assert.deepEqual(stepOf('2', 2), { kind: 'select', index: 1 });
  assert.equal(stepOf('3', 2), null);
  const acts = ['k', 's', 'w', 'b', 'd', 'r'].map((key) => stepOf(key, 2));
  assert.deepEqual(
    acts.map((step) => step !== null && step.kind === 'act' && step.act),
    ['kill', 'freeze', 'slow', 'back', 'drain', 'ready'],
  );
  assert.deepEqual(
    ['q', '\u0003', 'c', 'h', 'x'].map((key) => stepOf(key, 2)?.kind),
    ['quit', 'quit', 'canary', 'help', undefined],
  );
});

test('the canary gets 10 %, then half, then nothing', () => {
  assert.deepEqual([0, 10, 50, 7].map(nextCanaryWeight), [10, 50, 0, 0]);
});

test('lines name servers as log and dashboard do', () => {
  assert.match(helpText(APPS, 1), /^ {5}1 app\/127\.0\.0\.1:3001\n {4}>2 app\/127\.0\.0\.1:3002$/m);
  assert.match(actText(APPS[0]!, 'kill'), /^app\/127\.0\.0\.1:3001 killed/);
  assert.match(selectedText(APPS[1]!, 1), /^ >2 app\/127\.0\.0\.1:3002 {3}k kill/);
});

test('the load line has the shares by number, also of a server without requests', () => {
  const byApp = { 'app/127.0.0.1:3002': 200 };
  assert.equal(
    loadText({ sent: 201, failed: 1, slowestMs: 12, byApp }, APPS),
    'load: 201 sent, 1 failed, slowest 12 ms; 1: 0 %, 2: 100 %',
  );
});

test('lines fit 80 columns', () => {
  const apps = [10_001, 10_002, 10_003].map((port) => ({
    name: `app/127.0.0.1:${port}`,
    upstream: 'app',
    port,
    pid: 1,
  }));
  const canary = { name: 'canary/127.0.0.1:10004', upstream: 'canary', port: 10_004, pid: 1 };
  const all = [...apps, canary];
  const byApp = { [canary.name]: 250 };
  const load = `  ${loadText({ sent: 250, failed: 0, slowestMs: 500, byApp }, all)}`;
  for (const line of [load, selectedText(canary, 3), ...helpText(all, 0).split('\n')]) {
    assert.ok(line.length <= 80, `${line.length}: ${line}`);
  }
});

test('only a process that runs can be killed, stopped or slowed down', () => {
  assert.deepEqual((['kill', 'freeze', 'slow', 'back', 'drain'] as const).map(isOfProcess), [
    true,
    true,
    true,
    false,
    false,
  ]);
});
