// Open handles of a diagnostic report. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeOpen } from '../../../../scripts/test-run/run-tests-open-handles.ts';

const at = (port: number) => ({ ip4: '127.0.0.1', port });

test('sockets are named by their addresses in any state, other handles where they keep the event loop alive', () => {
  const libuv = [
    { type: 'tcp', is_active: true, localEndpoint: at(80), remoteEndpoint: null },
    { type: 'tcp', is_active: true, localEndpoint: at(80), remoteEndpoint: at(5000) },
    { type: 'tcp', is_active: false, localEndpoint: at(80), remoteEndpoint: null },
    { type: 'timer', is_active: true, is_referenced: true, firesInMsFromNow: 7 },
    { type: 'timer', is_active: true, is_referenced: false, firesInMsFromNow: 8 },
    { type: 'process', is_active: true, is_referenced: true, pid: 42 },
    { type: 'async', is_active: false, is_referenced: true },
    { type: 'loop', is_active: true },
  ];
  const named = [
    'tcp listening on 127.0.0.1:80',
    'tcp 127.0.0.1:80 -> 127.0.0.1:5000',
    'tcp disconnected from 127.0.0.1:80',
    'timer in 7 ms',
    'process 42',
    '2 worker thread(s)',
  ];
  assert.equal(describeOpen({ libuv, workers: [{}, {}] }), named.join(', '));
});

test('many handles are counted, and none is reported as none', () => {
  const libuv = Array.from({ length: 10 }, (_, port) => ({ type: 'tcp', is_active: true, localEndpoint: at(port) }));
  assert.match(describeOpen({ libuv }), /:7, 2 more$/);
  assert.equal(describeOpen({}), 'no open handle');
});
