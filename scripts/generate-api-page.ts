// Writes docs/api.md from the package's exports. With --check it writes nothing and fails when the page is stale.
// Usage: node scripts/generate-api-page.ts [--check]. Thread: main.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { renderApiPage } from './api-docs/api-page.ts';
import { readArguments } from './usage.ts';

const USAGE = `npm run generate, or node scripts/generate-api-page.ts [--check]
Writes docs/api.md. --check ends with 1 where it is outdated.`;

const ROOT = path.resolve(import.meta.dirname, '..');
const PAGE = path.join(ROOT, 'docs/api.md');

const { values } = readArguments(USAGE, { check: { type: 'boolean', default: false } });
const page = renderApiPage(ROOT);
if (!values.check) {
  writeFileSync(PAGE, page);
  console.log(`wrote docs/api.md: ${page.split('\n').length} lines`);
} else if (readFileSync(PAGE, 'utf8') !== page) {
  console.log('docs/api.md is stale: run node scripts/generate-api-page.ts');
  process.exitCode = 1;
}
