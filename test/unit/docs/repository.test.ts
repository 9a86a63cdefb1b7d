// Files at the top of the repository (LICENSE, CONTRIBUTING.md, workflows, editor settings): they exist and agree with
// package.json. Thread: main.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { renderApiPage } from '../../../scripts/api-docs/api-page.ts';
import { ROOT } from './pages.ts';

interface Manifest {
  readonly license: string;
  readonly engines: { readonly node: string };
  readonly scripts: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

const read = (name: string): string => readFileSync(path.join(ROOT, name), 'utf8');
const MANIFEST = JSON.parse(read('package.json')) as Manifest;

test('LICENSE is the licence that package.json names', () => {
  assert.equal(MANIFEST.license, 'MIT');
  assert.match(read('LICENSE'), /^MIT License\n/);
});

test('.nvmrc names the pinned Node', () => {
  assert.equal(read('.nvmrc').trim(), MANIFEST.devDependencies['node']);
});

test('CI runs the oldest supported major of Node and the pinned one', () => {
  const workflow = parse(read('.github/workflows/ci.yml')) as {
    readonly jobs: {
      readonly test: { readonly strategy: { readonly matrix: { readonly include: { node: string }[] } } };
    };
  };
  const oldestMajor = /(\d+)/.exec(MANIFEST.engines.node)![1]!;
  const nodes = workflow.jobs.test.strategy.matrix.include.map(({ node }) => node);
  assert.deepEqual(nodes.toSorted(), [oldestMajor, 'pinned'].toSorted());
});

test('every workflow, template and editor file parses', () => {
  for (const name of ['workflows/ci', 'workflows/release', 'ISSUE_TEMPLATE/bug', 'ISSUE_TEMPLATE/feature']) {
    assert.equal(typeof parse(read(`.github/${name}.yml`)), 'object', name);
  }
  for (const name of ['.vscode/settings.json', '.vscode/extensions.json', '.devcontainer/devcontainer.json']) {
    assert.equal(typeof JSON.parse(read(name)), 'object', name);
  }
});

test('editors validate configurations against the JSON Schema of the repository', () => {
  const settings = JSON.parse(read('.vscode/settings.json')) as { readonly 'yaml.schemas': Record<string, string[]> };
  for (const schema of Object.keys(settings['yaml.schemas'])) assert.ok(existsSync(path.join(ROOT, schema)), schema);
});

test('commands that CONTRIBUTING.md names exist', () => {
  const page = read('CONTRIBUTING.md');
  const names = [...page.matchAll(/npm run ([\w:]+)/g)].map((match) => match[1]!);
  assert.ok(names.length >= 2);
  for (const name of names) assert.ok(name in MANIFEST.scripts, name);
  for (const [, file] of page.matchAll(/node (?:--test )?((?:scripts|test)\/[\w./-]+\.ts)/g)) {
    assert.ok(existsSync(path.join(ROOT, file!)), file!);
  }
});

test('docs/api.md is generated from the present sources', () => {
  assert.ok(read('docs/api.md') === renderApiPage(ROOT), 'stale: run node scripts/generate-api-page.ts');
});
