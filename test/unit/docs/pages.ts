// Reads the repository's Markdown pages for the tests of documents: fences, links, code spans, tables. Thread: main.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname, '../../..');

/** Folders without pages of this repository. */
const SKIPPED: ReadonlySet<string> = new Set(['node_modules', 'dist', 'coverage']);

/** A fenced block. */
export interface Fence {
  /** The first word after the opening backticks: `yaml`, `sh`. */
  readonly info: string;
  /** The rest of that line, for tests; '' for none. */
  readonly label: string;
  readonly text: string;
  /** Number of its first line of text, from 1. */
  readonly line: number;
}

/** A row of a table, its cells trimmed. */
export interface Row {
  readonly cells: readonly string[];
  readonly line: number;
}

export interface Table {
  /** The nearest heading above it. */
  readonly heading: string;
  readonly header: readonly string[];
  readonly rows: readonly Row[];
}

export interface Page {
  /** Relative to the repository, with forward slashes. */
  readonly name: string;
  readonly fences: readonly Fence[];
  /** The text by line; lines of fences are empty. */
  readonly prose: readonly string[];
}

/** All Markdown pages of the repository, by name. */
export function allPages(): readonly Page[] {
  return pageNames('').map(readPage);
}

function pageNames(folder: string): string[] {
  const names: string[] = [];
  for (const entry of readdirSync(path.join(ROOT, folder), { withFileTypes: true })) {
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory() && !SKIPPED.has(entry.name) && !entry.name.startsWith('.')) names.push(...pageNames(name));
    else if (entry.isFile() && entry.name.endsWith('.md')) names.push(name);
  }
  return names;
}

/** Reads one page. @throws Error if it doesn't exist, or if a fence is not closed */
export function readPage(name: string): Page {
  const lines = readFileSync(path.join(ROOT, name), 'utf8').split('\n');
  const fences: Fence[] = [];
  const prose: string[] = [];
  let open: { indent: number; info: string; label: string; line: number; text: string[] } | null = null;
  for (const [index, line] of lines.entries()) {
    const mark = /^(\s*)```(.*)$/.exec(line);
    if (open === null && mark !== null) {
      const [info = '', ...label] = mark[2]!.trim().split(' ');
      open = { indent: mark[1]!.length, info, label: label.join(' '), line: index + 2, text: [] };
    } else if (open !== null && mark !== null) {
      fences.push({ info: open.info, label: open.label, line: open.line, text: `${open.text.join('\n')}\n` });
      open = null;
    } else if (open !== null) open.text.push(line.slice(open.indent));
    prose.push(open === null && mark === null ? line : '');
  }
  if (open !== null) throw new Error(`${name}:${open.line}: a fence is not closed`);
  return { name, fences, prose };
}

/** Tables of a page in their order. */
export function tablesOf(page: Page): readonly Table[] {
  const tables: { heading: string; header: readonly string[]; rows: Row[] }[] = [];
  let heading = '';
  let isInTable = false;
  for (const [index, line] of page.prose.entries()) {
    heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
    if (!line.startsWith('|')) isInTable = false;
    else if (!isInTable) {
      tables.push({ heading, header: cellsOf(line), rows: [] });
      isInTable = true;
    } else if (!/^\|[\s:|-]+\|$/.test(line)) tables.at(-1)!.rows.push({ cells: cellsOf(line), line: index + 1 });
  }
  return tables;
}

/** Cells of a row; a pipe in a cell is written `\|`. */
function cellsOf(line: string): string[] {
  const inner = line.trim().replace(/^\|/, '').replace(/\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** Code spans of a text, without the backticks. */
export function codeSpans(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
}

/** A link of a page, external ones left out. */
export interface Link {
  readonly target: string;
  readonly line: number;
}

export function localLinks(page: Page): readonly Link[] {
  return page.prose.flatMap((line, index) =>
    [...line.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)]
      .map((match) => ({ target: match[1]!, line: index + 1 }))
      .filter(({ target }) => !/^[a-z]+:/i.test(target)),
  );
}

/** Anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(page: Page): ReadonlySet<string> {
  const headings = page.prose.flatMap((line) => /^#+ (.*)$/.exec(line)?.[1] ?? []);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(/\s/g, '-'),
    ),
  );
}

/** Whether a file or folder of the repository exists. @param name relative to the repository */
export function exists(name: string): boolean {
  return existsSync(path.join(ROOT, name));
}
