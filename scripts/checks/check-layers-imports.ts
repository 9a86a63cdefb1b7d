// Finds all references from a file to other modules: imports, re-exports, types, worker URLs. Thread: main.

import type { Expression, Node } from 'oxc-parser';
import { lineOf, visitNodes, type SourceFile } from './source-files.ts';

export type ImportKind = 'import' | 're-export' | 'dynamic import' | 'type query' | 'worker URL';

/** A reference to another module. `specifier` is undefined when the code computes it. */
export interface ImportReference {
  readonly specifier: string | undefined;
  readonly kind: ImportKind;
  readonly line: number;
}

/**
 * All references of a file in order. `exists` reports whether a path relative to this file is a source file:
 * `new URL('./data.json', import.meta.url)` is no import, `./worker${extension}` is one if ./worker.ts exists.
 */
export function findImports(file: SourceFile, exists: (specifier: string) => boolean): ImportReference[] {
  const found: ImportReference[] = [];
  visitNodes(file.program, (node) => {
    const line = lineOf(file, node.start);
    for (const { specifier, kind } of mentionsIn(node, exists)) found.push({ specifier, kind, line });
  });
  return found;
}

function mentionsIn(node: Node, exists: (specifier: string) => boolean): Omit<ImportReference, 'line'>[] {
  switch (node.type) {
    case 'ImportDeclaration':
      return [{ specifier: node.source.value, kind: 'import' }];
    case 'ExportAllDeclaration':
      return [{ specifier: node.source.value, kind: 're-export' }];
    case 'ExportNamedDeclaration':
      return node.source === null ? [] : [{ specifier: node.source.value, kind: 're-export' }];
    case 'ImportExpression':
      return [{ specifier: fixedText(node.source), kind: 'dynamic import' }];
    case 'TSImportType':
      return [{ specifier: node.source.value, kind: 'type query' }];
    case 'TSExternalModuleReference':
      return [{ specifier: node.expression.value, kind: 'import' }];
    case 'CallExpression':
      return isLoaderCall(node.callee) ? [{ specifier: fixedText(node.arguments[0]), kind: 'dynamic import' }] : [];
    case 'NewExpression':
      return isModuleUrl(node) ? workerUrls(node.arguments[0], exists) : [];
    default:
      return [];
  }
}

/** `require(x)` and `import.meta.resolve(x)`. */
function isLoaderCall(callee: Expression): boolean {
  if (callee.type === 'Identifier') return callee.name === 'require';
  return callee.type === 'MemberExpression' && isMetaMember(callee, 'resolve');
}

/** `new URL(x, import.meta.url)`. */
function isModuleUrl(node: Node): boolean {
  if (node.type !== 'NewExpression' || node.callee.type !== 'Identifier' || node.callee.name !== 'URL') return false;
  const base = node.arguments[1];
  return base?.type === 'MemberExpression' && isMetaMember(base, 'url');
}

function isMetaMember(node: Node, name: string): boolean {
  if (node.type !== 'MemberExpression' || node.object.type !== 'MetaProperty') return false;
  return node.property.type === 'Identifier' && node.property.name === name;
}

function workerUrls(
  argument: Node | undefined,
  exists: (specifier: string) => boolean,
): Omit<ImportReference, 'line'>[] {
  return urlTexts(argument)
    .map((text) => (exists(`${text}.ts`) ? `${text}.ts` : text))
    .filter((text) => text.endsWith('.ts'))
    .map((specifier) => ({ specifier, kind: 'worker URL' }));
}

/** Possible beginnings of a URL's first argument: `'./a.ts'`, `./a${x}`, './a' + x, c ? './a.ts' : './a.js'. */
function urlTexts(node: Node | undefined): string[] {
  if (node === undefined) return [];
  if (node.type === 'Literal') return typeof node.value === 'string' ? [node.value] : [];
  if (node.type === 'TemplateLiteral') return [node.quasis[0]?.value.cooked ?? ''];
  if (node.type === 'BinaryExpression') return urlTexts(node.left);
  if (node.type === 'ConditionalExpression') return [...urlTexts(node.consequent), ...urlTexts(node.alternate)];
  return [];
}

/** The text of a constant string, or undefined. */
function fixedText(node: Node | undefined): string | undefined {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node?.type === 'TemplateLiteral' && node.expressions.length === 0)
    return node.quasis[0]?.value.cooked ?? undefined;
  return undefined;
}

/** Whether a file only re-exports others. */
export function isBarrel(file: SourceFile): boolean {
  let handsOn = false;
  for (const statement of file.program.body) {
    if (statement.type === 'ImportDeclaration') continue;
    if (statement.type === 'ExportNamedDeclaration' && statement.declaration !== null) return false;
    if (statement.type !== 'ExportAllDeclaration' && statement.type !== 'ExportNamedDeclaration') return false;
    handsOn ||= statement.type === 'ExportAllDeclaration' || statement.specifiers.length > 0;
  }
  return handsOn;
}
