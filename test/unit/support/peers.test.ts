// Peers: search by name in the given folders; a missing one skips or fails the test. Thread: main.

import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { findPeer, requirePeer, type PeerSearch } from '../../support/peers.ts';
import { writeTree } from '../scripts/fixture-tree.ts';

function searchIn(t: TestContext, program: string, isRequired: boolean): PeerSearch {
  const root = writeTree(t, { [`one/readme`]: '', [`two/${program}`]: '#!/bin/sh\n' });
  chmodSync(path.join(root, 'two', program), 0o755);
  return { folders: [path.join(root, 'one'), path.join(root, 'two')], isRequired };
}

function recordSkips(): { skips: string[]; skip: (reason?: string) => void } {
  const skips: string[] = [];
  return { skips, skip: (reason = '') => skips.push(reason) };
}

test('a peer is found by its absolute path, under each of its names', (t) => {
  const search = searchIn(t, 'chromium-browser', true);
  assert.equal(findPeer('chromium', search), path.join(search.folders[1]!, 'chromium-browser'));
});

test('a file that is not executable is not a peer', (t) => {
  const search = searchIn(t, 'wrk', true);
  chmodSync(path.join(search.folders[1]!, 'wrk'), 0o644);
  assert.equal(findPeer('wrk', search), undefined);
});

test('an installed peer is returned, and no test is skipped', (t) => {
  const search = searchIn(t, 'haproxy', true);
  const context = recordSkips();
  assert.equal(requirePeer(context, 'haproxy', search), path.join(search.folders[1]!, 'haproxy'));
  assert.deepEqual(context.skips, []);
});

test('a missing peer skips the test with a reason that explains how to install it', (t) => {
  const context = recordSkips();
  assert.equal(requirePeer(context, 'nginx', searchIn(t, 'haproxy', false)), undefined);
  assert.deepEqual(context.skips, ['nginx is not installed (scripts/install-peers.sh installs it)']);
});

test('a missing peer fails the test if peers are required, as with CI=true', (t) => {
  const context = recordSkips();
  assert.throws(() => requirePeer(context, 'nginx', searchIn(t, 'haproxy', true)), /nginx is not installed/);
  assert.deepEqual(context.skips, []);
});
