// scripts/release.ts in a clone of this checkout: what it refuses, and what a release consists of. Thread: main.
// Own process: a failed preparation must not fail the tests of other files.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { listSourcePaths } from '../../../scripts/checks/source-files.ts';
import { shortOrLong } from '../../support/test-length.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
/** Files that `npm pack` and the build need besides the sources. */
const EXTRAS = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json', 'package-lock.json', 'tsconfig.json'];
const FOLDERS = ['admin/dashboard', 'deploy', 'docs', 'examples', 'bin'];

let clone = '';

function git(...args: readonly string[]): string {
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com'];
  const { status, stdout, stderr } = spawnSync('git', [...identity, ...args], { cwd: clone, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

function release(...args: readonly string[]): { readonly status: number | null; readonly output: string } {
  const environment = { ...process.env, GIT_AUTHOR_NAME: 'Test', GIT_AUTHOR_EMAIL: 'test@example.com' };
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(ROOT, 'scripts/release.ts'), '--root', clone, '--skip-tests', ...args],
    {
      encoding: 'utf8',
      env: { ...environment, GIT_COMMITTER_NAME: 'Test', GIT_COMMITTER_EMAIL: 'test@example.com' },
    },
  );
  return { status, output: stdout + stderr };
}

before(() => {
  clone = mkdtempSync(path.join(tmpdir(), 'fairlead-release-'));
  const names = listSourcePaths(ROOT).filter((name) => !name.startsWith('test/'));
  for (const name of [
    ...names,
    ...EXTRAS,
    ...FOLDERS,
    'tsconfig.build.json',
    'fairlead.schema.json',
    'haproxy-compat.md',
  ]) {
    cpSync(path.join(ROOT, name), path.join(clone, name), { recursive: true });
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(clone, 'node_modules'));
  writeFileSync(path.join(clone, '.gitignore'), 'node_modules\ndist\nman\nrelease\n');
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-qm', 'tree: begin');
});

after(() => rmSync(clone, { recursive: true, force: true }));

describe('a release', () => {
  test('is refused with uncommitted changes, from another branch, and without a version', () => {
    const readme = readFileSync(path.join(clone, 'README.md'), 'utf8');
    writeFileSync(path.join(clone, 'README.md'), `${readme}\nchanged\n`);
    assert.deepEqual(release('9.9.9').status, 1);
    assert.match(release('9.9.9').output, /not committed/);
    writeFileSync(path.join(clone, 'README.md'), readme);
    git('checkout', '-qb', 'side');
    assert.match(release('9.9.9').output, /releases are made from main/);
    git('checkout', '-q', 'main');
    assert.equal(release().status, 2);
    assert.equal(git('tag'), '');
  });

  test('commits version and changelog, tags, and writes tarball, bill of materials, notes and checksums', () => {
    const { status, output } = release('9.9.9');
    assert.equal(status, 0, output);
    assert.equal(git('log', '-1', '--format=%s'), 'release: 9.9.9');
    assert.equal(git('tag'), 'v9.9.9');
    assert.equal(git('status', '--porcelain'), '');
    const out = path.join(clone, 'release');
    assert.deepEqual(readdirSync(out).toSorted(), ['NOTES.md', 'SHA256SUMS', 'fairlead-9.9.9.tgz', 'sbom.cdx.json']);
    for (const line of readFileSync(path.join(out, 'SHA256SUMS'), 'utf8').trim().split('\n')) {
      const [sum, name] = line.split('  ');
      assert.equal(
        createHash('sha256')
          .update(readFileSync(path.join(out, name!)))
          .digest('hex'),
        sum,
      );
    }
    const sbom = JSON.parse(readFileSync(path.join(out, 'sbom.cdx.json'), 'utf8')) as {
      readonly metadata: { readonly component: { readonly version: string } };
      readonly components: readonly { readonly name: string }[];
    };
    assert.equal(sbom.metadata.component.version, '9.9.9');
    const names = sbom.components.map(({ name }) => name);
    assert.ok(names.includes('undici') && names.includes('yaml') && !names.includes('oxlint'), names.join(' '));
  });

  // A second build: the first test makes the files by the same function.
  test('can be made again from its tag', { skip: shortOrLong(1, 0) === 1 && 'only in npm run test:long' }, () => {
    assert.equal(release('--from-tag', 'v9.9.9', '--out', 'release/again').status, 0);
  });

  test('is refused a second time, and from a tag of another version', () => {
    assert.match(release('9.9.9').output, /the tag v9\.9\.9 exists/);
    assert.match(release('--from-tag', 'v1.2.3').output, /the tag names 1\.2\.3, package\.json has 9\.9\.9/);
  });
});
