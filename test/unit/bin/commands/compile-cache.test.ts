// Compile cache: which directory is used, which ones are refused, and that the command fills it. Thread: main.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { privateCacheDirectory } from '../../../../bin/commands/compile-cache.ts';

const FOLDER = realpathSync(mkdtempSync(path.join(tmpdir(), 'fairlead-cache-')));
after(() => rmSync(FOLDER, { recursive: true }));

let folders = 0;
function newFolder(): string {
  const folder = path.join(FOLDER, String(folders++));
  mkdirSync(folder);
  return folder;
}

test('the cache is in the directory of the service, in that of the user for caches, or in the home directory', () => {
  const [service, caches, home] = [newFolder(), newFolder(), newFolder()];
  const variables = { CACHE_DIRECTORY: `${service}:/elsewhere`, XDG_CACHE_HOME: caches, HOME: home };
  const { CACHE_DIRECTORY: _service, ...ofUser } = variables;
  assert.equal(privateCacheDirectory(variables), path.join(service, 'compiled'));
  assert.equal(privateCacheDirectory(ofUser), path.join(caches, 'fairlead/compiled'));
  assert.equal(
    privateCacheDirectory({ HOME: home, XDG_CACHE_HOME: 'relative' }),
    path.join(home, '.cache/fairlead/compiled'),
  );
  assert.equal(privateCacheDirectory({}), null);
  assert.equal(statSync(path.join(service, 'compiled')).mode & 0o777, 0o700);
});

test('a directory that others can read or change is refused, and one below a directory that they can change', () => {
  const open = newFolder();
  mkdirSync(path.join(open, 'compiled'), { mode: 0o755 });
  assert.equal(privateCacheDirectory({ CACHE_DIRECTORY: open }), null);
  chmodSync(path.join(open, 'compiled'), 0o700);
  assert.equal(privateCacheDirectory({ CACHE_DIRECTORY: open }), path.join(open, 'compiled'));
  chmodSync(open, 0o777);
  assert.equal(privateCacheDirectory({ CACHE_DIRECTORY: open }), null);
  const link = path.join(newFolder(), 'link');
  symlinkSync(open, link);
  assert.equal(privateCacheDirectory({ CACHE_DIRECTORY: link }), null, 'the target of a link counts');
});

test('a directory that cannot be made is no error', () => {
  assert.equal(privateCacheDirectory({ HOME: '/dev/null' }), null);
  assert.equal(privateCacheDirectory({ HOME: '/proc' }), null);
});

test('the command fills the cache, unless the environment configures that of Node', () => {
  const entry = path.resolve(import.meta.dirname, '../../../../bin/fairlead.ts');
  const filled = (variables: Record<string, string>): string[] => {
    const caches = newFolder();
    // Node passes its own variable for coverage on to children, unless they have another value.
    const env = { PATH: process.env['PATH'] ?? '', XDG_CACHE_HOME: caches, NODE_V8_COVERAGE: '', ...variables };
    const { status, stderr } = spawnSync(process.execPath, [entry, 'version'], { env, encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
    return readdirSync(caches, { recursive: true, encoding: 'utf8' });
  };
  assert.ok(filled({}).length > 10);
  assert.deepEqual(filled({ NODE_DISABLE_COMPILE_CACHE: '1' }), []);
});
