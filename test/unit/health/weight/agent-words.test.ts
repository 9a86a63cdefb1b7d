// The grammar of agent reports. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readAgentWords, type AgentReport } from '../../../../health/weight/agent-words.ts';

const up = { isUp: true, word: 'up', reason: '' } as const;
const share = (value: number) => ({ kind: 'share', value }) as const;

describe('agent words', () => {
  const rows: readonly (readonly [text: string, report: Partial<AgentReport>])[] = [
    ['', { words: [] }],
    ['75%', { words: ['weight'], weight: share(0.75) }],
    ['weight:75%', { words: ['weight'], weight: share(0.75) }],
    ['weight:20', { words: ['weight'], weight: { kind: 'absolute', value: 20 } }],
    ['0%', { words: ['weight'], weight: share(0) }],
    ['150%', { words: ['weight'], weight: share(1.5) }],
    ['20% 80%', { words: ['weight', 'weight'], weight: share(0.8) }],
    ['ready', { words: ['ready'], admin: 'ready' }],
    ['drain', { words: ['drain'], admin: 'drain' }],
    ['maint', { words: ['maint'], admin: 'maintenance' }],
    ['drain ready', { words: ['drain', 'ready'], admin: 'ready' }],
    ['up', { words: ['up'], service: up }],
    ['UP, Ready,\t50%\r\n', { words: ['up', 'ready', 'weight'], service: up, admin: 'ready', weight: share(0.5) }],
    ['down', { words: ['down'], service: { isUp: false, word: 'down', reason: '' } }],
    ['fail #no disk', { words: ['fail'], service: { isUp: false, word: 'fail', reason: 'no disk' } }],
    ['10% stopped#deploy #42', { weight: share(0.1), service: { isUp: false, word: 'stopped', reason: 'deploy #42' } }],
    ['up #fine', { service: up }],
    ['#only a comment', { words: [] }],
    ['maxconn:30', { words: ['maxconn'], maxConnections: 30 }],
    ['MaxConn:007 50%', { words: ['maxconn', 'weight'], maxConnections: 7, weight: share(0.5) }],
    ['maxconn:0 maxconn:-1', { words: ['unknown', 'unknown'], unknown: ['maxconn:0', 'maxconn:-1'] }],
    ['50', { words: ['unknown'], unknown: ['50'] }],
    ['-5% 12345% weight: constructor', { words: ['unknown', 'unknown', 'unknown', 'unknown'] }],
  ];
  const NOTHING = { words: [], weight: null, maxConnections: null, admin: null, service: null, unknown: [] };
  for (const [text, report] of rows) {
    test(JSON.stringify(text), () => {
      const read = readAgentWords(text);
      assert.deepEqual(read, { ...NOTHING, said: read.said, words: read.words, unknown: read.unknown, ...report });
    });
  }

  test('bring nothing unprintable and nothing endless into a log', () => {
    const { service, unknown } = readAgentWords(`\u001b[31mred down #two\u001b]0;lines\u0000 ${'x'.repeat(400)}`);
    assert.deepEqual(unknown, ['[31mred']);
    assert.match(service!.reason, /^two \]0;lines x+$/);
    assert.equal(service!.reason.length, 100);
  });
});
