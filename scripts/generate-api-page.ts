// Writes docs/api.md from the package's exports. With --check it writes nothing and fails when the page is stale.
// Usage: node scripts/generate-api-page.ts [--check]. Thread: main.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { renderApiPage } from './api-docs/api-page.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const PAGE = path.join(ROOT, 'docs/api.md');

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const page = renderApiPage(ROOT);
if (!values.check) {
  writeFileSync(PAGE, page);
  console.log(`wrote docs/api.md: ${page.split('\n').length} lines`);
} else if (readFileSync(PAGE, 'utf8') !== page) {
  console.log('docs/api.md is stale: run node scripts/generate-api-page.ts');
  process.exitCode = 1;
}
