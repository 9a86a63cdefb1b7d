// The test run end to end over small trees of test files: what it counts, names, prints and exits with. Thread: main.

import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { runScript, writeTree, type ScriptRun, type Tree } from '../fixture-tree.ts';

const HEADER = `import { test, describe, after } from 'node:test';\nimport assert from 'node:assert/strict';\n`;

/** Runs over test files given by path below test/, each with the header above. */
function runOver(t: TestContext, files: Tree, ...args: string[]): ScriptRun {
  const tests = Object.entries(files).map(([name, text]) => [`test/${name}`, HEADER + text]);
  const root = writeTree(t, { 'package.json': '{"type":"module"}', ...Object.fromEntries(tests) });
  return runScript('run-tests.ts', ['--root', root, ...(args.length === 0 ? ['--only', 'tests'] : args)]);
}

/** The closing summary, as an object. */
function closing(output: string): Record<string, number> {
  const lines = [...output.matchAll(/^# (\w+) (\d+)$/gm)];
  return Object.fromEntries(lines.map(([, name, count]) => [name!, Number(count)]));
}

describe('the closing summary', () => {
  test('adds up the tests of all folders, and the exit code is 0 when all pass', (t) => {
    const { status, output } = runOver(t, {
      'unit/a.test.ts': `describe('s', () => { test('a', () => {}); test('b', () => {}); });\n`,
      'property/deep/b.test.ts': `test('c', async (t) => { await t.test('d', () => {}); });\n`,
      'unit/support.ts': `throw new Error('not a test file');\n`,
    });
    const { duration_ms: durationMs, ...counts } = closing(output);
    assert.deepEqual(counts, { tests: 4, suites: 1, pass: 4, fail: 0, cancelled: 0, skipped: 0, todo: 0 });
    assert.ok(durationMs! > 0);
    assert.match(
      output,
      /^== unit +ok +\d+\.\d s {2}1 files, 2 tests, 2 passed, 0 skipped, \d+ s of CPU(, limits x[\d.]+)?$/m,
    );
    assert.match(output, /^== fuzz +ok +0\.0 s {2}no test files in test\/fuzz$/m);
    assert.match(output, /^all parts passed$/m);
    assert.equal(status, 0);
  });

  test('skipped and todo tests are listed by name with their reason', (t) => {
    const { status, output } = runOver(t, {
      'unit/a.test.ts': `describe('s', () => {
  test('a', { skip: 'no haproxy' }, () => {});
  test('b', (t) => t.skip('no nginx'));
  test('c', { todo: 'later' }, () => assert.equal(1, 2));
});
describe('d', { skip: true }, () => { test('e', () => {}); });
`,
    });
    assert.match(output, /^skipped \(3\):\n {2}test\/unit\/a\.test\.ts:4 {2}s > a: no haproxy\n/m);
    assert.match(output, /\n {2}test\/unit\/a\.test\.ts:5 {2}s > b: no nginx\n.*\.ts:8 {2}d: no reason given\n/);
    assert.match(output, /^todo \(1\):\n.*s > c: later$/m);
    const { skipped, todo, pass, fail } = closing(output);
    assert.deepEqual([skipped, todo, pass, fail, status], [3, 1, 0, 0, 0]);
  });
});

/** Kinds of failures: the text of the file, and what is printed. */
const FAILING: Readonly<Record<string, readonly [text: string, shown: RegExp]>> = {
  'a failed assertion': [
    `describe('s', () => { test('a', () => { console.log('a trace'); assert.equal(1, 2); }); });\n`,
    /FAILED test\/unit\/a-failed-assertion\.test\.ts:3 {2}s > a\n[^]*1 !== 2\n[^]*output of test\/unit\/a-failed-assertion\.test\.ts:\n {4}\| a trace$/m,
  ],
  'a hook that throws': [
    `describe('s', () => { after(() => { throw new Error('hook broke'); }); test('a', () => {}); });\n`,
    /FAILED test\/unit\/a-hook-that-throws\.test\.ts:3 {2}s\n {4}Error: hook broke$/m,
  ],
  'a file that can not be loaded': [`import './gone.ts';\n`, /FAILED .* the file\n {4}exit code 1\n[^]*gone\.ts/],
  'an error after the test has ended': [
    `test('a', () => { setTimeout(() => { throw new Error('too late'); }, 20); });\n`,
    /FAILED .* the file\n {4}exit code 1\n[^]*too late/,
  ],
  'a file that exits amid its tests': [
    `test('a', () => {});\ntest('b', () => process.exit(0));\ntest('c', () => assert.fail());\n`,
    /FAILED test\/unit\/a-file-that-exits-amid-its-tests\.test\.ts {2}the file\n {4}ended without reporting any test$/m,
  ],
  'a file without a test': [`assert.ok(test && describe && after);\n`, /ended without reporting any test$/m],
};

describe('failures', () => {
  const names = new Map(Object.keys(FAILING).map((kind) => [kind, kind.replaceAll(' ', '-')]));
  const files = Object.entries(FAILING).map(([kind, [text]]) => [`unit/${names.get(kind)!}.test.ts`, text]);
  let run: ScriptRun | null = null;
  for (const [kind, [, shown]] of Object.entries(FAILING)) {
    test(`${kind} fails the run and is shown by name`, (t) => {
      run ??= runOver(t, { ...Object.fromEntries(files), 'unit/fine.test.ts': `test('fine', () => {});\n` });
      const { status, output } = run;
      // Each failure with its error, then the output of the file.
      const own = output
        .split(/^(?= {2}FAILED|FAILED)/m)
        .filter((part) => part.includes(`${names.get(kind)!}.test.ts`));
      assert.match(own.join(''), shown);
      assert.doesNotMatch(output, /FAILED test\/unit\/fine/);
      assert.match(output, /^== unit +FAILED/m);
      assert.match(output, /^FAILED: unit$/m);
      assert.equal(closing(output)['fail'], Object.keys(FAILING).length);
      assert.equal(status, 1);
    });
  }

  test('an error is shown without the frames of node itself', (t) => {
    const { output } = runOver(t, { 'unit/x.test.ts': `test('a', () => { throw new Error('boom'); });\n` });
    assert.match(output, /Error: boom\n +at .*x\.test\.ts/);
    assert.doesNotMatch(output, /\(node:internal/);
  });
});

describe('files that share a process', () => {
  test('keep their tests, failures and output apart', (t) => {
    const { status, output } = runOver(t, {
      'unit/a.test.ts': `test('a', () => {});\n`,
      'unit/b.test.ts': `test('b', () => { console.log('a trace'); assert.equal(1, 2); });\n`,
      'unit/c.test.ts': `test('c', { skip: 'no peer' }, () => {});\n`,
    });
    assert.match(output, /^ +FAILED test\/unit\/b\.test\.ts:3 {2}b$/m);
    assert.match(output, /unit\/b\.test\.ts[^]*a trace/);
    assert.match(output, /^ {2}test\/unit\/c\.test\.ts:3 {2}c: no peer$/m);
    const { tests, pass, fail, skipped } = closing(output);
    assert.deepEqual([tests, pass, fail, skipped, status], [3, 1, 1, 1, 1]);
  });

  test('run one by one where one of them ends the process', (t) => {
    const { output } = runOver(t, {
      'unit/a.test.ts': `test('a', () => {});\n`,
      'unit/b.test.ts': `process.exit(0);\n`,
      'unit/c.test.ts': `test('c', () => {});\n`,
    });
    assert.match(output, /FAILED test\/unit\/b\.test\.ts/);
    const { tests, pass, fail } = closing(output);
    assert.deepEqual([tests, pass, fail], [3, 2, 1]);
  });
});

describe('the choice of tests', () => {
  const files = {
    'unit/a.test.ts': `test('retry once', () => {});\ntest('other', () => assert.fail());\n`,
    'unit/b.test.ts': `test('other', () => assert.fail());\n`,
  };

  test('--grep runs only what it names', (t) => {
    const { status, output } = runOver(t, files, '--grep', 'retry');
    const { tests, pass } = closing(output);
    assert.deepEqual([tests, pass, status], [1, 1, 0]);
  });

  test('--slowest lists the files with the most CPU time', (t) => {
    const busy = `test('busy', () => { const startMs = performance.now(); while (performance.now() < startMs + 500); });\n`;
    const files = { 'contract/a.test.ts': `test('x', () => {});\n`, 'contract/b.test.ts': busy };
    const { output } = runOver(t, files, '--only', 'contract', '--slowest', '1');
    assert.match(output, /^ {3}CPU s {2}wall s {2}file\n +\d+\.\d +\d+\.\d {2}test\/contract\/b\.test\.ts$/m);
    assert.match(output, /^== contract .*2 passed, 0 skipped, \d+ s of CPU/m);
    assert.ok(!output.includes('a.test.ts'));
  });

  test('a file with hooks for each test has a process of its own', (t) => {
    const hooked = `import { beforeEach } from 'node:test';\nbeforeEach(() => { globalThis.isHooked = true; });\ntest('x', () => {});\n`;
    const other = `test('y', () => assert.equal(globalThis.isHooked, undefined));\n`;
    const { output } = runOver(t, { 'contract/a.test.ts': hooked, 'contract/b.test.ts': other }, '--only', 'contract');
    assert.match(output, /2 passed/);
  });

  test('--grep that names nothing fails', (t) => {
    const { status, output } = runOver(t, files, '--grep', 'nothing of this name');
    assert.match(output, /^FAILED: tests \(none was run\)$/m);
    assert.equal(status, 1);
  });

  test('a folder that --only names must hold tests', (t) => {
    const { status, output } = runOver(t, files, '--only', 'fuzz');
    assert.match(output, /^== fuzz +FAILED +0\.0 s {2}no test files in test\/fuzz$/m);
    assert.equal(status, 1);
  });

  test('wrong usage is one line and exit code 2', () => {
    const { status, output } = runScript('run-tests.ts', ['--only', 'everything']);
    assert.match(output, /^unknown part "everything": use .*\n$/);
    assert.equal(status, 2);
  });
});

/** A program that runs a folder with short limits and prints what failed: node:test can't be nested in one process. */
const SHORT_LIMITS = `
import { findTestFiles, runFolder } from '${path.resolve(import.meta.dirname, '../../../../scripts/test-run/run-tests-folder.ts')}';
const [root] = process.argv.slice(2);
const part = { kind: 'test', name: 'unit', folder: 'test/unit', concurrency: 8 };
const limits = { testTimeoutMs: 1000, silenceLimitMs: 4000, exitLimitMs: 1500 };
const patience = Math.min(3, Number(process.env.FAIRLEAD_TEST_PATIENCE ?? 1));
const how = { root, grep: undefined, limits, patience };
const tally = await runFolder(part, findTestFiles(root + '/test/unit'), how);
for (const { where, name, text } of tally.failures) console.log(where, name, text.split('\\n')[0]);
console.log(JSON.stringify(tally.totals));
`;

/** A socket that Node loses: its cleanup never ends (test/regress/socket-lost-by-reset.test.ts). */
const LOST_SOCKET = `
import { connect, createServer } from 'node:net';
test('loses a socket', (t, done) => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => server.close(() => done()));
    socket.on('end', () => {
      socket.end();
      socket['resetAndDestroy']();
    });
    socket.resume();
  });
  server.listen(0, '127.0.0.1', () => connect(server.address().port, '127.0.0.1').end());
});
`;

/** Blocks the event loop without using the processor. */
const BLOCK = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);';

/** Kinds of hang: the text of the file, and the line that its failure is to begin with. */
const HANGING: Readonly<Record<string, readonly [text: string, shown: RegExp]>> = {
  'never-ends': [`test('a', () => new Promise(() => {}));\n`, /:3 a .*timed out after \d+ms/],
  timer: [
    `test('a', () => { setInterval(() => {}, 100); });\n`,
    /:1 the file killed: it ended its last test but did not exit within \d+\.\d s; open: timer in \d+ ms$/,
  ],
  socket: [
    `import { createServer } from 'node:net';
test('a', (t, done) => { createServer().listen(0, '127.0.0.1', done); });\n`,
    /:1 the file killed: it ended its last test .* s; open: tcp listening on 127\.0\.0\.1:\d+$/,
  ],
  'lost-socket': [
    LOST_SOCKET,
    /:1 the file killed: it ended .* s: Node's cleanup does not end; open: tcp disconnected from 127\.0\.0\.1:\d+$/,
  ],
  'loop-in-test': [
    `test('a', async () => { await new Promise((resolve) => setTimeout(resolve, 50)); ${BLOCK} });\n`,
    /:1 the file killed: it reported nothing for \d+\.\d s while "a" ran; its event loop does not turn$/,
  ],
  'loop-in-loading': [
    `${BLOCK}\n`,
    /:1 the file killed: it reported no test within \d+\.\d s; its event loop does not turn$/,
  ],
};

test('a file that hangs fails alone, and the message says in what phase and over what', (t) => {
  const hanging = Object.entries(HANGING).map(([name, [text]]) => [`test/unit/${name}.test.ts`, HEADER + text]);
  const tree = {
    'limits.ts': SHORT_LIMITS,
    'package.json': '{"type":"module"}',
    ...Object.fromEntries(hanging),
    'test/unit/a-first.test.ts': `${HEADER}test('first', () => {});\n`,
    'test/unit/z-last.test.ts': `${HEADER}test('last', () => {});\n`,
  };
  const root = writeTree(t, tree);
  const { output } = runScript(path.join(root, 'limits.ts'), [root]);
  const lines = output.trim().split('\n');
  for (const [name, [, shown]] of Object.entries(HANGING)) {
    const line = lines.find((one) => one.startsWith(`test/unit/${name}.test.ts:`));
    assert.match(line ?? output, shown);
  }
  // Beside the first and the last file, three of the others report a test that passes before they hang.
  const { pass, fail, cancelled } = JSON.parse(lines.at(-1)!) as Record<string, number>;
  assert.deepEqual({ pass, fail, cancelled }, { pass: 5, fail: 5, cancelled: 1 });
});
