// Writes docs/commands.md, and man/fairlead.1 for the package, from the definition of the command line. With --check it
// writes nothing and fails when the page is stale.
// Usage: node scripts/generate-command-pages.ts [--check]. Thread: main.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildProgram } from '../bin/commands/program.ts';
import { readVersion } from '../config/files/package-files.ts';
import { renderCommandsPage } from './command-docs/commands-page.ts';
import { renderManPage } from './command-docs/man-page.ts';
import { readArguments } from './usage.ts';

const USAGE = `npm run generate, or node scripts/generate-command-pages.ts [--check]
Writes docs/commands.md and the man page. --check ends with 1 where one is outdated.`;

const ROOT = path.resolve(import.meta.dirname, '..');
const PAGE = path.join(ROOT, 'docs/commands.md');

const { values } = readArguments(USAGE, { check: { type: 'boolean', default: false } });
const version = await readVersion();
const program = buildProgram(version);
const page = renderCommandsPage(program);
if (!values.check) {
  writeFileSync(PAGE, page);
  mkdirSync(path.join(ROOT, 'man'), { recursive: true });
  writeFileSync(path.join(ROOT, 'man/fairlead.1'), renderManPage(program, version));
  // To stderr: `npm pack --json` builds the package, and its output is for programs.
  console.error(`wrote docs/commands.md: ${page.split('\n').length} lines`);
} else if (readFileSync(PAGE, 'utf8') !== page) {
  console.log('docs/commands.md is stale: run node scripts/generate-command-pages.ts');
  process.exitCode = 1;
}
