// The dashboard's scripts keep to the sizes of all other sources, and to what its policy allows. Thread: main.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { checkSizes } from '../../../../scripts/checks/check-sizes-rules.ts';
import { openingComment, parseSourceFile } from '../../../../scripts/checks/source-files.ts';

const FOLDER = path.join(import.meta.dirname, '../../../../admin/dashboard');
const texts = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.js'))
  .map((name) => [name, readFileSync(path.join(FOLDER, name), 'utf8')] as const);
const files = texts.map(([name, text]) => parseSourceFile(name, text));

test('they are no longer than sources may be, and say what they are for', () => {
  const { findings } = checkSizes(files, { functionAim: 25, functionStop: 60, fileAim: 200, classStop: 250 });
  assert.deepEqual(findings, []);
  for (const file of files) assert.match(openingComment(file), /Runs\s+in\s+the\s+browser/, file.path);
});

test('they make no HTML or code of strings, and name no other host', () => {
  for (const [name, text] of texts)
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function|https?:\/\//, name);
});
