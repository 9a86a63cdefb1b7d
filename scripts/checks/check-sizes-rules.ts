// Limits on the length of functions and classes over a set of parsed files; no I/O. The linter limits files (max-lines);
// its limit for functions would count the callbacks of describe(). Thread: main.

import type { Node } from 'oxc-parser';
import { countLines, lineOf, visitNodes, type Finding, type SourceFile } from './source-files.ts';

/** Limits in lines, with comments inside a function but without its docstring. */
export interface SizeLimits {
  readonly functionAim: number;
  readonly functionStop: number;
  readonly classStop: number;
  readonly fileAim: number;
}

/** Broken limits, and statistics. */
export interface SizeReport {
  readonly findings: readonly Finding[];
  readonly fileCount: number;
  readonly filesAboveAim: number;
  readonly functionCount: number;
  readonly functionsAboveAim: number;
  /** Over functions with a body in braces, without one-expression arrows. */
  readonly medianFunctionLines: number;
  /** Functions and classes beyond a limit whose comment gives a reason: `path:line reason`. */
  readonly exceptions: readonly string[];
}

interface MeasuredFunction {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
  readonly hasBlock: boolean;
  /** Start lines of the function and of the statement or member around it. */
  readonly anchors: readonly number[];
}

/** Callbacks of these group tests as a class groups methods; the functions inside are measured. */
const GROUPS: readonly string[] = ['describe', 'suite'];
const REASON = /^[\s*]*size:[ \t]*(\S.*)$/m;
const NO_REASON = /^[\s*]*size:[ \t]*$/m;

/** Measures all files and reports what exceeds a limit without a reason. */
export function checkSizes(files: readonly SourceFile[], limits: SizeLimits): SizeReport {
  const findings: Finding[] = [];
  const exceptions: string[] = [];
  const functions: MeasuredFunction[] = [];
  let filesAboveAim = 0;
  for (const file of files) {
    const measured = measureFunctions(file);
    functions.push(...measured);
    if (countLines(file) > limits.fileAim) filesAboveAim += 1;
    findings.push(...file.syntaxErrors, ...emptyReasons(file));
    for (const { finding, reason } of tooLong(file, measured, limits)) {
      if (reason === undefined) findings.push(finding);
      else exceptions.push(`${finding.path}:${finding.line} ${reason}`);
    }
  }
  const functionsAboveAim = functions.filter((one) => one.lines > limits.functionAim).length;
  const counts = { fileCount: files.length, filesAboveAim, functionCount: functions.length, functionsAboveAim };
  return { findings, exceptions, medianFunctionLines: medianLines(functions), ...counts };
}

interface Excess {
  readonly finding: Finding;
  readonly reason: string | undefined;
}

function tooLong(file: SourceFile, functions: readonly MeasuredFunction[], limits: SizeLimits): Excess[] {
  const excess: Excess[] = [];
  const reasons = reasonsByLine(file);
  for (const one of functions.filter((candidate) => candidate.lines > limits.functionStop)) {
    const advice = 'split it, or write "// size: <reason>" right above';
    const message = `${one.name} has ${one.lines} lines, the limit is ${limits.functionStop}: ${advice}`;
    const reason = one.anchors.map((line) => reasons.get(line)).find((text) => text !== undefined);
    excess.push({ finding: finding(file, one.line, 'long function', message), reason });
  }
  for (const { name, line, lines } of measureClasses(file).filter((one) => one.lines > limits.classStop)) {
    const message = `${name} has ${lines} lines, the limit is ${limits.classStop}: it is two classes`;
    excess.push({ finding: finding(file, line, 'long class', message), reason: reasons.get(line) });
  }
  return excess;
}

function emptyReasons(file: SourceFile): Finding[] {
  return file.comments
    .filter((comment) => NO_REASON.test(comment.value) && !REASON.test(comment.value))
    .map((comment) => finding(file, lineOf(file, comment.start), 'size', 'write the reason behind "size:"'));
}

function finding(file: SourceFile, line: number, rule: string, message: string): Finding {
  return { path: file.path, line, rule, message };
}

/** For each line with comments right above it (no gap), the `size:` reason among these comments. */
function reasonsByLine(file: SourceFile): Map<number, string> {
  const reasons = new Map<number, string>();
  for (const comment of file.comments) {
    const above = reasons.get(lineOf(file, comment.start));
    const reason = REASON.exec(comment.value)?.[1] ?? above;
    if (reason !== undefined) reasons.set(lineOf(file, comment.end) + 1, reason);
  }
  return reasons;
}

/** Every class, from its keyword or name to its closing brace. */
function measureClasses(file: SourceFile): { readonly name: string; readonly line: number; readonly lines: number }[] {
  const found: { name: string; line: number; lines: number }[] = [];
  visitNodes(file.program, (node, ancestors) => {
    if (node.type !== 'ClassDeclaration' && node.type !== 'ClassExpression') return;
    const start = ancestors.at(-1)?.type === 'ExportNamedDeclaration' ? ancestors.at(-1)!.start : node.start;
    const line = lineOf(file, start);
    found.push({ name: node.id?.name ?? 'a class without a name', line, lines: lineOf(file, node.end) - line + 1 });
  });
  return found;
}

/** Every function, method, accessor, constructor, arrow and static block with a body. */
export function measureFunctions(file: SourceFile): MeasuredFunction[] {
  const found: MeasuredFunction[] = [];
  visitNodes(file.program, (node, ancestors) => {
    if (!isFunctionWithBody(node) || isGroup(node, ancestors.at(-1))) return;
    const around = enclosing(ancestors);
    const start = startOf(node, ancestors.at(-1));
    found.push({
      name: nameOf(node, ancestors.at(-1)),
      line: lineOf(file, start),
      lines: lineOf(file, node.end) - lineOf(file, start) + 1,
      hasBlock: node.type !== 'ArrowFunctionExpression' || node.body.type === 'BlockStatement',
      anchors: [start, ...around.map((outer) => outer.start)].map((offset) => lineOf(file, offset)),
    });
  });
  return found;
}

function isFunctionWithBody(node: Node): boolean {
  switch (node.type) {
    case 'FunctionDeclaration':
    case 'FunctionExpression':
      return node.body !== null;
    case 'ArrowFunctionExpression':
    case 'StaticBlock':
      return true;
    default:
      return false;
  }
}

function isGroup(node: Node, parent: Node | undefined): boolean {
  if (parent?.type !== 'CallExpression' || parent.callee === node) return false;
  const callee = parent.callee.type === 'MemberExpression' ? parent.callee.object : parent.callee;
  return callee.type === 'Identifier' && GROUPS.includes(callee.name);
}

/** Start of a function: the name or modifier for a method, the function itself otherwise. */
function startOf(node: Node, parent: Node | undefined): number {
  const isMethod = parent?.type === 'MethodDefinition' || (parent?.type === 'Property' && parent.method);
  return isMethod ? parent.start : node.start;
}

/** The statement or member around a function, and the nodes between. */
function enclosing(ancestors: readonly Node[]): Node[] {
  const block = ancestors.findLastIndex((node) => ['BlockStatement', 'ClassBody', 'Program'].includes(node.type));
  const member = ancestors.findLastIndex(isMember);
  return ancestors.slice(Math.max(block + 1, member)).filter((node) => !/^(Function|Arrow|Static)/.test(node.type));
}

function nameOf(node: Node, parent: Node | undefined): string {
  if (node.type === 'StaticBlock') return 'static block';
  if ((node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression') && node.id) return node.id.name;
  if (parent?.type === 'VariableDeclarator' && parent.id.type === 'Identifier') return parent.id.name;
  return memberName(parent) ?? testTitle(parent) ?? 'a function without a name';
}

function memberName(parent: Node | undefined): string | undefined {
  if (parent === undefined || !isMember(parent)) return undefined;
  const { key } = parent;
  return key.type === 'Identifier' || key.type === 'PrivateIdentifier' ? key.name : undefined;
}

function isMember(node: Node): node is Extract<Node, { type: 'MethodDefinition' | 'PropertyDefinition' | 'Property' }> {
  return node.type === 'MethodDefinition' || node.type === 'PropertyDefinition' || node.type === 'Property';
}

/** `test('title', () => {...})`: the callback is named by its title. */
function testTitle(parent: Node | undefined): string | undefined {
  if (parent?.type !== 'CallExpression') return undefined;
  const title = parent.arguments[0];
  return title?.type === 'Literal' && typeof title.value === 'string' ? `the function of '${title.value}'` : undefined;
}

function medianLines(functions: readonly MeasuredFunction[]): number {
  const sorted = functions.filter((one) => one.hasBlock).map((one) => one.lines);
  sorted.sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
