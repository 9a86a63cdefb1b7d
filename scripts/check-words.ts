// Checks the English of comments, texts and pages for words that a stranger stops at (CONTRIBUTING.md, "Review").
// Usage: node scripts/check-words.ts [--root DIR] [FOLDER...]. Exit code 1 when one is found. A line is allowed to differ
// by a comment `check-words: reason` on it or right above it. Thread: main.

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { checkWords, type ProsePage } from './checks/check-words-rules.ts';
import { formatFindings, readSourceFiles } from './checks/source-files.ts';

/** The rules and their test quote what they forbid; a decision is a record and is never edited. */
const QUOTING = [
  'scripts/checks/check-words-rules.ts',
  'test/unit/scripts/checks/check-words.test.ts',
  'docs/decisions/',
];
const SKIPPED: ReadonlySet<string> = new Set(['node_modules', 'dist', 'coverage', '.git', 'artifacts']);

function main(): void {
  const { values, positionals } = parseArgs({ options: { root: { type: 'string' } }, allowPositionals: true });
  const root = values.root ?? path.resolve(import.meta.dirname, '..');
  const isMeant = (name: string): boolean =>
    !QUOTING.some((quoting) => name.startsWith(quoting)) &&
    (positionals.length === 0 || positionals.some((folder) => name.startsWith(folder)));
  const files = readSourceFiles(root).filter((file) => isMeant(file.path));
  const pages = pageNames(root, '')
    .filter(isMeant)
    .map((name) => readPage(root, name));
  const { findings, exceptions, fileCount, commentCount } = checkWords(files, pages);
  for (const line of formatFindings(findings)) console.log(line);
  const found = findings.length === 0 ? 'nothing found' : `${findings.length} found`;
  console.log(`check-words: ${fileCount} files, ${commentCount} comments, ${exceptions.length} exceptions: ${found}`);
  if (findings.length > 0) process.exitCode = 1;
}

function pageNames(root: string, folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : pageNames(root, name);
    return entry.name.endsWith('.md') ? [name] : [];
  });
}

function readPage(root: string, name: string): ProsePage {
  let isCode = false;
  const lines = readFileSync(path.join(root, name), 'utf8').split('\n');
  return {
    path: name,
    lines: lines.map((line) => {
      if (line.startsWith('```')) isCode = !isCode;
      return isCode ? '' : line;
    }),
  };
}

main();
