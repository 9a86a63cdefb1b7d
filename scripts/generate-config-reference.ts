// Writes docs/config-reference.md from the schema. With --check it writes nothing and fails when the page is stale.
// Usage: node scripts/generate-config-reference.ts [--check]. Thread: main.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { renderReference } from './config-reference.ts';

const PAGE = path.resolve(import.meta.dirname, '../docs/config-reference.md');

function main(): void {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const page = renderReference();
  if (!values.check) {
    writeFileSync(PAGE, page);
    console.log(`wrote ${PAGE}: ${page.split('\n').length} lines`);
    return;
  }
  if (currentPage() === page) return;
  console.log('docs/config-reference.md is stale: run node scripts/generate-config-reference.ts');
  process.exitCode = 1;
}

function currentPage(): string {
  try {
    return readFileSync(PAGE, 'utf8');
  } catch {
    return '';
  }
}

main();
