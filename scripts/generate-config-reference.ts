// Generates docs/config-reference.md, docs/config-errors.md and fairlead.schema.json from the configuration schema. With
// --check it writes nothing and fails when one of them is stale.
// Usage: node scripts/generate-config-reference.ts [--check]. Thread: main.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { renderEditorSchema } from '../config/schema/editor-schema.ts';
import { renderErrors } from './config-docs/config-errors.ts';
import { renderReference } from './config-docs/config-reference.ts';
import { readArguments } from './usage.ts';

const USAGE = `npm run generate, or node scripts/generate-config-reference.ts [--check]
Writes the reference, the errors and the JSON Schema of the configuration. --check ends with 1 where one is outdated.`;

const ROOT = path.resolve(import.meta.dirname, '..');
const PAGES = {
  'docs/config-reference.md': renderReference,
  'docs/config-errors.md': renderErrors,
  'fairlead.schema.json': renderEditorSchema,
};

function main(): void {
  const { values } = readArguments(USAGE, { check: { type: 'boolean', default: false } });
  for (const [name, render] of Object.entries(PAGES)) {
    const page = render();
    if (!values.check) {
      writeFileSync(path.join(ROOT, name), page);
      console.log(`wrote ${name}: ${page.split('\n').length} lines`);
    } else if (current(name) !== page) {
      console.log(`${name} is stale: run node scripts/generate-config-reference.ts`);
      process.exitCode = 1;
    }
  }
}

function current(name: string): string {
  try {
    return readFileSync(path.join(ROOT, name), 'utf8');
  } catch {
    return '';
  }
}

main();
