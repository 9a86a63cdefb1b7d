// The modules of the dashboard keep to the sizes of all other sources, to what its policy allows, and to types of the
// server. Thread: main.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { browserModule, uplotModule } from '../../../../admin/api/page-module.ts';
import { openingComment, parseSourceFile } from '../../../../scripts/checks/source-files.ts';

const ROOT = path.join(import.meta.dirname, '../../../..');
const FOLDER = path.join(ROOT, 'admin/dashboard');
const texts = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
  .map((name) => [name, readFileSync(path.join(FOLDER, name), 'utf8')] as const);
/** Compressed size of all scripts that a browser loads, uPlot included. */
const MOST_BYTES = 90_000;

test('each begins with its purpose', () => {
  for (const [name, text] of texts)
    assert.match(openingComment(parseSourceFile(name, text)), /Runs\s+in\s+the\s+browser/, name);
});

test('they build no HTML or code from strings, and name no other host', () => {
  for (const [name, text] of texts)
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function|https?:\/\/(?!host)/, name);
});

test('they import types only from the server, whose code a browser lacks', () => {
  for (const [name, text] of texts) {
    for (const [, kind, from] of text.matchAll(/^import (type )?[^']*'([^']+)';$/gm)) {
      const isOwn = !path.relative(FOLDER, path.join(FOLDER, path.dirname(name), from!)).startsWith('..');
      assert.ok(isOwn || kind !== undefined, `${name}: ${from!}`);
    }
  }
});

test('the served modules are JavaScript with specifiers of JavaScript', () => {
  const made = browserModule(
    "import { a } from './b.ts';\nimport type { C } from './c.ts';\nexport const d: number = a as number;\n",
  );
  assert.match(made, /^import \{ a \} from '\.\/b\.js';\n\s*\nexport const d\s+= a\s+;\n$/);
});

test('all scripts together stay small', () => {
  const uplot = readFileSync(path.join(ROOT, 'node_modules/uplot/dist/uPlot.iife.min.js'), 'utf8');
  const sizes = [uplotModule(uplot), ...texts.map(([, text]) => browserModule(text))].map(
    (text) => gzipSync(text).byteLength,
  );
  const sum = sizes.reduce((total, size) => total + size, 0);
  assert.ok(sum < MOST_BYTES, `${sum} bytes`);
});
