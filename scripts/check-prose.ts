// Checks the style of all pages but decisions, which are records, and generated ones.
// Usage: node scripts/check-prose.ts [--root DIR]. Exit code 1 when something is found. Thread: main.

import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { checkProse } from './checks/check-prose-rules.ts';
import { formatFindings } from './checks/source-files.ts';

const SKIPPED = ['node_modules/', 'dist/', 'coverage/', 'docs/decisions/', 'test/artifacts/'];
/** Their texts are those of the sources. */
const GENERATED = ['docs/api.md', 'docs/commands.md', 'docs/config-reference.md', 'docs/config-errors.md'];

function main(): void {
  const { values } = parseArgs({ options: { root: { type: 'string' } } });
  const root = values.root ?? path.resolve(import.meta.dirname, '..');
  const isMeant = (name: string): boolean =>
    !SKIPPED.some((folder) => name.startsWith(folder)) && !GENERATED.includes(name);
  const names = globSync('**/*.md', { cwd: root, exclude: (name) => name === 'node_modules' }).filter(isMeant);
  const findings = names.toSorted().flatMap((name) => checkProse(name, readFileSync(path.join(root, name), 'utf8')));
  for (const line of formatFindings(findings)) console.log(line);
  const found = findings.length === 0 ? 'nothing found' : `${findings.length} found`;
  console.log(`check-prose: ${names.length} pages: ${found}`);
  if (findings.length > 0 || names.length === 0) process.exitCode = 1;
}

main();
