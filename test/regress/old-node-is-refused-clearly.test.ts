// On a Node that is too old, `import 'fairlead'` crashed inside a dependency, and the command of an installed package
// advised `npm start`, which only a checkout has. Thread: main.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';

const ROOT = path.join(import.meta.dirname, '../..');
const OLD = `data:text/javascript,${encodeURIComponent(
  "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });",
)}`;

function runOn(script: readonly string[]): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, ['--import', OLD, ...script], { encoding: 'utf8' });
  return { status, stderr };
}

describe('on Node 20', () => {
  for (const entry of ['index.ts', 'plugins/define.ts', 'testing/policy-bench.ts']) {
    test(`importing ${entry} names the version that is needed`, () => {
      const url = pathToFileURL(path.join(ROOT, entry)).href;
      const { status, stderr } = runOn(['--input-type=module', '--eval', `await import(${JSON.stringify(url)})`]);
      assert.equal(status, 1);
      assert.match(stderr, /Error: Fairlead needs Node >= 24\.12, this is v20\.20\.2: install a newer Node/);
    });
  }

  test('the command of a checkout advises npm start, that of an installed package a newer Node', (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-old-node-'));
    t.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(path.join(folder, 'package.json'), '{ "type": "commonjs" }');
    const installed = path.join(folder, 'fairlead.js');
    copyFileSync(path.join(ROOT, 'bin/fairlead.ts'), installed);
    const inCheckout = runOn([path.join(ROOT, 'bin/fairlead.ts'), 'version']);
    assert.deepEqual([inCheckout.status, /npm start/.test(inCheckout.stderr)], [2, true]);
    const inPackage = runOn([installed, 'version']);
    assert.equal(inPackage.status, 2);
    assert.match(inPackage.stderr, /^Fairlead needs Node >= 24\.12, this is v20\.20\.2; install a newer Node/);
    assert.doesNotMatch(inPackage.stderr, /npm start|npm ci/);
  });
});
