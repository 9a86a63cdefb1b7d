// check-sizes: what counts as a function and how long it is, and what lifts a limit. Thread: main.

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { checkSizes, measureFunctions, type SizeReport } from '../../../../scripts/checks/check-sizes-rules.ts';
import { formatFindings, parseSourceFile, readSourceFiles } from '../../../../scripts/checks/source-files.ts';
import { repeatLine, runScript, writeTree, type Tree } from '../fixture-tree.ts';

const LIMITS = { functionAim: 25, functionStop: 60, classStop: 250, fileAim: 200 };

function check(t: TestContext, tree: Tree): SizeReport {
  return checkSizes(readSourceFiles(writeTree(t, tree)), LIMITS);
}

function broken(t: TestContext, text: string): string[] {
  return formatFindings(check(t, { 'a.ts': text }).findings);
}

/** A function of so many lines in all, in this frame; the frame's `$` stands for the statements. */
function sized(frame: string, lines: number): string {
  const around = frame.split('\n').length - 2;
  return frame.replace('$', repeatLine('  step();', lines - around).trimEnd());
}

function measured(text: string): [name: string, line: number, lines: number][] {
  return measureFunctions(parseSourceFile('a.ts', text)).map((one) => [one.name, one.line, one.lines]);
}

describe('the length of a function', () => {
  test('60 lines pass, 61 are refused with line, name, length and advice', (t) => {
    assert.deepEqual(broken(t, sized('function f() {\n$\n}\n', 60)), []);
    assert.deepEqual(broken(t, `\n\n${sized('function f() {\n$\n}\n', 61)}`), [
      'a.ts:3: long function: f has 61 lines, the limit is 60: split it, or write "// size: <reason>" right above',
    ]);
  });

  for (const [kind, frame] of Object.entries({
    'function expression': 'const f = function () {\n$\n};\n',
    'arrow function': 'const f = () => {\n$\n};\n',
    'arrow of one expression': 'const f = () => (\n  0,\n$\n);\n'.replace('$\n', `${repeatLine('  1,', 58)}  2\n`),
    'async generator': 'async function* f() {\n$\n}\n',
    'exported default': 'export default function () {\n$\n}\n',
    callback: "test('f', () => {\n$\n});\n",
  })) {
    test(`is measured for: ${kind}`, (t) => {
      assert.equal(check(t, { 'a.ts': sized(frame, 61) }).findings.length, 1);
    });
  }

  test('is measured for methods, accessors, constructors, private methods and static blocks, not for the class', () => {
    const text = `class A {
  constructor() {
    step();
  }
  async run(): Promise<void> {
    step();
    step();
  }
  static get x() { return 1; }
  #hidden() {
  }
  static {
    step();
  }
  field = () => {
    step();
  };
}
const o = { m() {
} };
`;
    assert.deepEqual(measured(text), [
      ['constructor', 2, 3],
      ['run', 5, 4],
      ['x', 9, 1],
      ['hidden', 10, 2],
      ['static block', 12, 3],
      ['field', 15, 3],
      ['m', 19, 2],
    ]);
  });

  test('of an outer function includes nested ones, and both are counted', () => {
    const text = 'function outer() {\n  const inner = () => {\n    step();\n  };\n  return inner;\n}\n';
    assert.deepEqual(measured(text), [
      ['outer', 1, 6],
      ['inner', 2, 3],
    ]);
  });

  test('leaves out the docstring and declarations without a body', () => {
    const text =
      '/**\n * Doc.\n */\nfunction f(a: string): void;\nfunction f(a: number): void;\nfunction f(a: unknown): void {\n}\ndeclare function g(): void;\nabstract class A { abstract m(): void; }\ntype F = () => void;\n';
    assert.deepEqual(measured(text), [['f', 6, 2]]);
  });

  test('is not misled by text that looks like code', () => {
    const text = [
      'const a = `function fake() {',
      '  ${run(() => 1)} }} () => { {`;',
      'const b = "function fake2() {"; // function fake3() {',
      '/* function fake4() { */ const c = /function fake5\\(\\) \\{[/"`]/u;',
      'function real() { return `}`; }',
      '',
    ].join('\n');
    assert.deepEqual(measured(text), [
      ['a function without a name', 2, 1],
      ['real', 5, 1],
    ]);
  });

  test('describe and suite only group: their callbacks are not functions, the tests in them are', () => {
    const text =
      "describe('a', () => {\n  test('b', () => {\n    step();\n  });\n});\nsuite.only('c', () => {\n});\ndescribe(() => {\n}).then(() => 1);\n";
    assert.deepEqual(measured(text), [
      ["the function of 'b'", 2, 3],
      ['a function without a name', 9, 1],
    ]);
  });
});

describe('a reason lifts a limit', () => {
  const long = sized('export function f() {\n$\n}\n', 61);

  for (const [where, text] of Object.entries({
    'right above': `// size: a table\n${long}`,
    'above the docstring': `// size: a table\n/** Doc. */\n${long}`,
    'under the docstring': `/** Doc. */\n// size: a table\n${long}`,
    'with a comment between': `// size: a table\n// of all states\n${long}`,
    'above a const': `// size: a table\n${sized('export const f =\n  () => {\n$\n};\n', 62)}`,
    'above a test': `// size: a table\n${sized("test('f', { timeout: 1 }, () => {\n$\n});\n", 61)}`,
    'above a method': `class A {\n  // size: a table\n${sized('  async run() {\n$\n  }\n', 61)}}\n`,
    'above a member of an object': `const a = {\n  b: 1,\n  // size: a table\n${sized('  run: () => {\n$\n  },\n', 61)}};\n`,
  })) {
    test(`for a function: ${where}`, (t) => {
      const report = check(t, { 'a.ts': text });
      assert.deepEqual(report.findings, []);
      assert.equal(report.exceptions.length, 1);
      assert.match(report.exceptions[0]!, /^a\.ts:\d+ a table$/);
    });
  }

  for (const [where, text] of Object.entries({
    'after an empty line': `// size: a table\n\n${long}`,
    'above another function': `// size: a table\nfunction g() {}\n${long}`,
    'inside it': long.replace('\n', '\n// size: a table\n'),
    'above the class': `// size: a table\nclass A {\n${sized('  async run() {\n$\n  }\n', 61)}}\n`,
    'above the object': `// size: a table\nconst a = {\n${sized('  run: () => {\n$\n  },\n', 61)}};\n`,
    'in a string': `const s = '// size: a table';\n${long}`,
  })) {
    test(`not ${where}`, (t) => {
      assert.match(broken(t, text)[0]!, /: long function: /);
    });
  }

  test('not without a text: this is an error of its own', (t) => {
    assert.match(
      broken(t, `// size:\n${long}`).join('\n'),
      /^a\.ts:1: size: write the reason.*\na\.ts:2: long function/,
    );
  });
});

describe('the length of a class', () => {
  const withLines = (lines: number): string => `export class A {\n${repeatLine('  a = 1;', lines - 2)}}\n`;

  test('250 lines pass, 251 are refused', (t) => {
    assert.deepEqual(broken(t, withLines(250)), []);
    assert.deepEqual(broken(t, `\n${withLines(251)}`), [
      'a.ts:2: long class: A has 251 lines, the limit is 250: it is two classes',
    ]);
  });

  test('a reason right above lifts it', (t) => {
    assert.deepEqual(broken(t, `// size: generated\n${withLines(251)}`), []);
  });
});

describe('the summary', () => {
  test('counts files, functions, the median of those with a body in braces, and functions above the aim', (t) => {
    const text = `const a = () => 1;\n${sized('function b() {\n$\n}\n', 3)}${sized('function c() {\n$\n}\n', 5)}${sized('function d() {\n$\n}\n', 26)}`;
    const report = check(t, { 'a.ts': text, 'sub/b.ts': repeatLine('step();', 201) });
    const { fileCount, filesAboveAim, functionCount, functionsAboveAim, medianFunctionLines } = report;
    assert.deepEqual([fileCount, filesAboveAim], [2, 1]);
    assert.deepEqual([functionCount, functionsAboveAim, medianFunctionLines], [4, 1, 5]);
  });

  test('the script prints findings, exceptions and the summary, and exits with 1', (t) => {
    const long = sized('function f() {\n$\n}\n', 61);
    const root = writeTree(t, { 'a.ts': long, 'b.ts': `// size: a table\n${long}`, 'node_modules/c.ts': long });
    const { status, output } = runScript('check-sizes.ts', ['--root', root]);
    assert.equal(status, 1);
    assert.match(output, /^a\.ts:1: long function: f has 61 lines/m);
    assert.match(output, /^exception: b\.ts:2 a table$/m);
    assert.match(
      output,
      /^check-sizes: 2 files .*2 functions \(median 61 lines, 2 above 25\), 1 exceptions, 1 too long$/m,
    );
  });

  test('the script passes a tidy tree and fails if it found no files', (t) => {
    assert.equal(runScript('check-sizes.ts', ['--root', writeTree(t, { 'a.ts': 'step();\n' })]).status, 0);
    assert.equal(runScript('check-sizes.ts', ['--root', writeTree(t, { 'a.txt': '' })]).status, 1);
  });
});
