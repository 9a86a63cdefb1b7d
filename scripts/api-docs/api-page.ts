// docs/api.md: the package's exports with their declarations and docstrings, made from the sources. Thread: main.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Node } from 'oxc-parser';
import { parseSourceFile, type SourceFile } from '../checks/source-files.ts';

/** An entry of the package: what programs import, and the source of it. */
export interface Entry {
  readonly specifier: string;
  readonly source: string;
}

interface Declaration {
  readonly name: string;
  readonly file: SourceFile;
  /** The declaration itself, without `export`. */
  readonly node: Node;
  /** Where its docstring would end: the start of the statement. */
  readonly start: number;
}

const INTRODUCTION = `# API

Generated from the sources by \`node scripts/generate-api-page.ts\`; do not edit. [embedding.md](embedding.md) shows how to
start a balancer inside a program.
`;

/** The entries of package.json's \`exports\` that are modules. */
function entriesOfPackage(root: string): Entry[] {
  const { name, exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
  };
  return Object.entries(exports).flatMap(([key, target]) => {
    if (typeof target === 'string') return [];
    const source = target.types.replace(/^\.\/dist\//, '').replace(/\.d\.ts$/, '.ts');
    return [{ specifier: path.posix.join(name, key), source }];
  });
}

/** The whole page. @throws Error where an export has no declaration that can be found */
export function renderApiPage(root: string): string {
  const seen = new Set<string>();
  const sections = entriesOfPackage(root).map((entry) => {
    const declarations = exportsOf(root, entry.source).filter(({ name, file }) => {
      const key = `${file.path}:${name}`;
      return seen.has(key) ? false : seen.add(key);
    });
    return [`## ${entry.specifier}`, '', ...declarations.flatMap(renderDeclaration)].join('\n');
  });
  return [INTRODUCTION, ...sections].join('\n').trimEnd() + '\n';
}

function read(root: string, name: string): SourceFile {
  return parseSourceFile(name, readFileSync(path.join(root, name), 'utf8'));
}

/** The exports of a module, in order. */
function exportsOf(root: string, name: string): Declaration[] {
  const file = read(root, name);
  const imported = importsOf(file);
  return file.program.body.flatMap((node): Declaration[] => {
    if (node.type !== 'ExportNamedDeclaration') return [];
    if (node.declaration !== null) return declared(file, node.declaration, node.start);
    return node.specifiers.map((specifier) => {
      const local = specifier.local.type === 'Identifier' ? specifier.local.name : '';
      const source = node.source?.value ?? imported.get(local);
      if (source === undefined) return find(file, local);
      return find(read(root, path.posix.join(path.posix.dirname(name), source)), local);
    });
  });
}

/** The module that each imported name comes from. */
function importsOf(file: SourceFile): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const node of file.program.body) {
    if (node.type !== 'ImportDeclaration') continue;
    for (const specifier of node.specifiers) sources.set(specifier.local.name, node.source.value);
  }
  return sources;
}

function find(file: SourceFile, name: string): Declaration {
  for (const node of file.program.body) {
    const declaration = node.type === 'ExportNamedDeclaration' ? node.declaration : node;
    if (declaration === null) continue;
    const found = declared(file, declaration, node.start).find((one) => one.name === name);
    if (found !== undefined) return found;
  }
  throw new Error(`${file.path}: no declaration of "${name}"`);
}

function declared(file: SourceFile, node: Node, start: number): Declaration[] {
  switch (node.type) {
    case 'FunctionDeclaration':
    case 'ClassDeclaration':
      return node.id === null ? [] : [{ name: node.id.name, file, node, start }];
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
      return [{ name: node.id.name, file, node, start }];
    case 'VariableDeclaration':
      return node.declarations.flatMap(({ id }) =>
        id.type === 'Identifier' ? [{ name: id.name, file, node, start }] : [],
      );
    default:
      return [];
  }
}

function renderDeclaration(declaration: Declaration): string[] {
  const doc = docstringOf(declaration);
  const lead = [`### ${declaration.name}`, '', ...(doc.length === 0 ? [] : [...doc, ''])];
  return [...lead, '```ts', ...declarationText(declaration).split('\n'), '```', ''];
}

/** The declaration without bodies and without what is private. */
function declarationText({ file, node }: Declaration): string {
  if (node.type === 'FunctionDeclaration') return `${textUpTo(file, node, node.body?.start)};`;
  if (node.type !== 'ClassDeclaration') return file.text.slice(node.start, node.end);
  const members = node.body.body.flatMap((member) => {
    if (member.type === 'StaticBlock' || ('key' in member && member.key.type === 'PrivateIdentifier')) return [];
    const body = member.type === 'MethodDefinition' ? member.value.body?.start : undefined;
    return [`  ${textUpTo(file, member, body).replace(/;$/, '')};`];
  });
  return [textUpTo(file, node, node.body.start + 1), ...members, '}'].join('\n');
}

function textUpTo(file: SourceFile, node: Node, end: number | undefined): string {
  return file.text.slice(node.start, end ?? node.end).trimEnd();
}

/** The docstring as Markdown: its prose, then a list of its tags. */
function docstringOf({ file, start }: Declaration): string[] {
  const comment = file.comments.findLast((one) => one.end <= start && file.text.slice(one.end, start).trim() === '');
  if (comment === undefined || !comment.value.startsWith('*')) return [];
  const text = comment.value
    .slice(1)
    .replace(/^[ \t]*\*[ \t]?/gm, '')
    .trim();
  const [prose = '', ...tags] = text.split(/(?:^|[ \n])@(?=param|throws|returns)/);
  const list = tags.map((tag) => {
    const [, kind = '', rest = ''] = /^(\w+)\s+([\s\S]*)$/.exec(tag.trim()) ?? [];
    return `- ${kind === 'param' ? rest.replace(/^[\w,]+/, '`$&`:').replace(/\n/g, ' ') : `${kind}: ${rest.replace(/\n/g, ' ')}`}`;
  });
  return [prose.trim(), ...(list.length === 0 ? [] : ['', ...list])];
}
