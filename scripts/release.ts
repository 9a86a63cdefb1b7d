// Makes a release: checks the tree, runs all tests, dates the changelog, sets the version, commits, tags, and writes the
// tarball with a bill of materials and checksums. Publishes nothing and pushes nothing. Thread: main.
//
//   node scripts/release.ts 1.2.0 [--out DIR] [--skip-tests]   from a clean main: commit, tag and files
//   node scripts/release.ts --from-tag v1.2.0 [--out DIR]      the files of a tag that is checked out
//
// --root DIR works in another checkout. Exit code 1 when a check fails (nothing is changed then), 2 on wrong usage.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runIn, writeArtifacts } from './release/artifacts.ts';
import { isVersion, releaseSection, sectionOf } from './release/changelog.ts';

interface Options {
  readonly root: string;
  readonly out: string;
  readonly version: string;
  readonly isTagged: boolean;
  readonly isTested: boolean;
}

function readOptions(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'from-tag': { type: 'string' },
      out: { type: 'string', default: 'release' },
      root: { type: 'string', default: path.resolve(import.meta.dirname, '..') },
      'skip-tests': { type: 'boolean', default: false },
    },
  });
  const tag = values['from-tag'];
  const version = tag === undefined ? positionals[0] : tag.replace(/^v/, '');
  if (version === undefined || !isVersion(version) || positionals.length > (tag === undefined ? 1 : 0)) {
    throw new Error('usage: node scripts/release.ts VERSION | --from-tag vVERSION  [--out DIR] [--skip-tests]');
  }
  const root = path.resolve(values.root);
  return {
    root,
    out: path.resolve(root, values.out),
    version,
    isTagged: tag !== undefined,
    isTested: !values['skip-tests'],
  };
}

/** Checks the preconditions before anything is changed. @throws Error that names the violated one */
function checkTree({ root, version }: Options): void {
  const changed = runIn(root, 'git', ['status', '--porcelain']).trim();
  if (changed !== '') throw new Error(`the working tree has changes that are not committed:\n${changed}`);
  const branch = runIn(root, 'git', ['branch', '--show-current']).trim();
  if (branch !== 'main') throw new Error(`releases are made from main, this is "${branch}"`);
  if (runIn(root, 'git', ['tag', '--list', `v${version}`]).trim() !== '') throw new Error(`the tag v${version} exists`);
}

function runTests(root: string): void {
  console.log('release: running all tests');
  runIn(root, 'npm', ['test']);
}

/** Sets version and changelog, commits and tags. */
function commitRelease({ root, version }: Options): void {
  const file = path.join(root, 'CHANGELOG.md');
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(file, releaseSection(readFileSync(file, 'utf8'), version, date));
  runIn(root, 'npm', ['version', version, '--no-git-tag-version', '--allow-same-version', '--ignore-scripts']);
  runIn(root, 'git', ['commit', '-qam', `release: ${version}`]);
  runIn(root, 'git', ['tag', '-a', `v${version}`, '-m', `Fairlead ${version}`]);
}

function checkTagged({ root, version }: Options): void {
  const { version: packaged } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  if (packaged !== version) throw new Error(`the tag names ${version}, package.json has ${packaged}`);
}

function main(options: Options): void {
  const changelog = (): string => readFileSync(path.join(options.root, 'CHANGELOG.md'), 'utf8');
  if (options.isTagged) checkTagged(options);
  else {
    checkTree(options);
    releaseSection(changelog(), options.version, '');
    if (options.isTested) runTests(options.root);
    commitRelease(options);
  }
  const notes = sectionOf(changelog(), options.version);
  if (notes === undefined) throw new Error(`CHANGELOG.md has no section for ${options.version}`);
  const names = writeArtifacts(options.root, options.out, notes);
  console.log(`release: ${options.version}, ${names.join(', ')} in ${options.out}`);
}

let options: Options | undefined;
try {
  options = readOptions();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
if (options !== undefined) {
  try {
    main(options);
  } catch (error) {
    console.error(`release: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
