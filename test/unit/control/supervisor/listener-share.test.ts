// Words about listeners that some workers only serve. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unservedWords } from '../../../../control/supervisor/listener-share.ts';
import type { BindAddress } from '../../../../core/snapshot/listener.ts';

const UNIX: BindAddress = { kind: 'unix', path: '/run/x.sock' };
const FD: BindAddress = { kind: 'fd', fd: 'web' };
const TCP: BindAddress = { kind: 'tcp', host: '', port: 80 };

for (const [title, bind, workers, acceptors, words] of [
  [
    'a Unix socket',
    UNIX,
    4,
    null,
    /^listener web is served by 1 of 4 workers: a Unix socket belongs to the worker .*--holder/,
  ],
  ['a Unix socket of one worker', UNIX, 1, null, null],
  ['a Unix socket of a holder', UNIX, 4, 4, null],
  [
    'an inherited descriptor',
    FD,
    2,
    null,
    /^listener web is served by 1 of 2 workers: an inherited descriptor .*--holder/,
  ],
  [
    'inherited descriptors for some',
    FD,
    4,
    2,
    /^listener web is served by 2 of 4 workers: each needs a descriptor of its own/,
  ],
  ['an address', TCP, 4, null, null],
] as const) {
  test(title, { skip: process.platform !== 'linux' }, () => {
    const found = unservedWords({ name: 'web', bind }, workers, acceptors);
    if (words === null) assert.equal(found, null);
    else assert.match(found ?? '', words);
  });
}
