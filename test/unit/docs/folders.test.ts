// README.md of each main folder: it exists, the files that it names exist, and every TypeScript file is named in it or in
// a README.md below it. Thread: main.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { listSourcePaths } from '../../../scripts/checks/source-files.ts';
import { codeSpans, readPage, ROOT } from './pages.ts';

const SOURCES = listSourcePaths(ROOT);

/** Main folders of code. */
const FOLDERS = [
  'admin',
  'balancers',
  'bin',
  'config',
  'control',
  'core',
  'health',
  'logging',
  'net',
  'plugins',
  'providers',
  'proxy',
  'scripts',
  'test/support',
  'testing',
];

/** The README.md files from a main folder down to the folder of a file. */
function readmesAbove(name: string): string[] {
  const folders = path.posix.dirname(name).split('/');
  return folders
    .map((_, index) => [...folders.slice(0, index + 1), 'README.md'].join('/'))
    .filter((readme) => existsSync(path.join(ROOT, readme)));
}

/** File names in code spans: `forward.ts`, `yaml/yaml-text.ts`, and `schema-*.ts` for several. */
function fileNamesIn(readme: string): readonly string[] {
  const text = readFileSync(path.join(ROOT, readme), 'utf8').replaceAll(/^```.*?^```/gms, '');
  return codeSpans(text).filter((span) => /^[\w.*/-]+\.(?:ts|mjs|js)$/.test(span));
}

/** Whether a path ends with the name that a README.md gives: whole segments, `*` for any part of one. */
function isMatch(name: string, span: string): boolean {
  const pattern = span.replaceAll(/[.+]/g, String.raw`\$&`).replaceAll('*', '[^/]*');
  return new RegExp(`(?:^|/)${pattern}$`).test(name);
}

const NAMES_IN = new Map<string, readonly string[]>();
for (const readme of SOURCES.flatMap(readmesAbove)) NAMES_IN.set(readme, NAMES_IN.get(readme) ?? fileNamesIn(readme));

for (const folder of [...FOLDERS, 'test'].filter((name) => !name.includes('/'))) {
  test(`${folder}/ has a README.md with a heading`, () => {
    assert.match(readPage(`${folder}/README.md`).prose[0] ?? '', /^# \S/);
  });
}

describe('the README.md', () => {
  for (const [readme, spans] of NAMES_IN) {
    test(`${readme} names only files that exist`, () => {
      const folder = path.join(ROOT, path.dirname(readme));
      const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
      const missing = spans.filter(
        (span) => !existsSync(path.join(ROOT, span)) && !files.some((name) => isMatch(name, span)),
      );
      assert.deepEqual(missing, []);
    });
  }

  for (const folder of FOLDERS) {
    test(`of ${folder}/, or one below it, names every file`, () => {
      const unnamed = SOURCES.filter(
        (name) =>
          name.startsWith(`${folder}/`) &&
          !readmesAbove(name).some((readme) => NAMES_IN.get(readme)!.some((span) => isMatch(name, span))),
      );
      assert.deepEqual(unnamed, [], `name these files in a README.md of ${folder}/`);
    });
  }
});
