// Reads and parses the repository's TypeScript files for the static checks. Thread: main.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync, visitorKeys, type Comment, type Node, type Program } from 'oxc-parser';

/** One parsed file. `path` is relative to the root, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly program: Program;
  readonly comments: readonly Comment[];
  /** Offset of the first character of each line. */
  readonly lineStarts: readonly number[];
  /** Errors of the parser. The checks report them, since they see nothing after one. */
  readonly syntaxErrors: readonly Finding[];
}

/** A broken rule: place (1-based line), name of the rule, and advice. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

/** Names of folders without sources of the repository, at any depth. */
const NOT_OURS: readonly string[] = ['node_modules', '.git', 'dist', 'coverage', 'artifacts', 'golden'];

/** TypeScript, without declaration files. */
const SOURCE_NAME = /(?<!\.d)\.m?ts$/;

/** Paths of all .ts and .mts files under `root`, sorted, relative, with forward slashes. */
export function listSourcePaths(root: string): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !NOT_OURS.includes(entry.name)) walk(name);
      else if (entry.isFile() && SOURCE_NAME.test(entry.name)) found.push(name);
    }
  };
  walk('');
  return found.toSorted();
}

/** Reads and parses every such file under `root`. @throws errors of the file system */
export function readSourceFiles(root: string): SourceFile[] {
  return listSourcePaths(root).map((name) => parseSourceFile(name, readFileSync(path.join(root, name), 'utf8')));
}

/** Parses one file. Never throws on bad syntax: see `syntaxErrors`. */
export function parseSourceFile(name: string, text: string): SourceFile {
  const parsed = parseSync(name, text, { sourceType: 'module', lang: 'ts' });
  const lineStarts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1);
  const syntaxErrors = parsed.errors.map((error) => ({
    path: name,
    line: lineAt(lineStarts, error.labels[0]?.start ?? 0),
    rule: 'syntax',
    message: error.message,
  }));
  return { path: name, text, program: parsed.program, comments: parsed.comments, lineStarts, syntaxErrors };
}

/** The 1-based line of an offset. */
export function lineOf(file: SourceFile, offset: number): number {
  return lineAt(file.lineStarts, offset);
}

function lineAt(lineStarts: readonly number[], offset: number): number {
  let low = 0;
  let high = lineStarts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return low + 1;
}

/** Number of lines of a file; a final newline does not start another. */
export function countLines(file: SourceFile): number {
  return file.text.endsWith('\n') ? file.lineStarts.length - 1 : file.lineStarts.length;
}

/** Calls `visit` for every node of the tree, parents first, with its ancestors (outermost first). */
export function visitNodes(root: Node, visit: (node: Node, ancestors: readonly Node[]) => void): void {
  const ancestors: Node[] = [];
  const step = (node: Node): void => {
    visit(node, ancestors);
    ancestors.push(node);
    for (const key of visitorKeys[node.type] ?? []) {
      const child: unknown = Reflect.get(node, key);
      if (Array.isArray(child)) child.filter(isNode).forEach(step);
      else if (isNode(child)) step(child);
    }
    ancestors.pop();
  };
  step(root);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value;
}

/** The text of the comment that opens a file (a block, or lines without a gap between them); '' without one. */
export function openingComment(file: SourceFile): string {
  const first = file.comments[0];
  const code = file.program.body[0]?.start ?? file.text.length;
  if (first === undefined || first.start > code) return '';
  const run = [first.value];
  let line = lineOf(file, first.end);
  for (const comment of file.comments.slice(1)) {
    if (first.type === 'Block' || comment.start > code || lineOf(file, comment.start) !== line + 1) break;
    run.push(comment.value);
    line = lineOf(file, comment.end);
  }
  return run.join('\n');
}

/** Findings as text, ordered by file and line. */
export function formatFindings(findings: readonly Finding[]): string[] {
  return findings
    .toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line))
    .map((finding) => `${finding.path}:${finding.line}: ${finding.rule}: ${finding.message}`);
}
