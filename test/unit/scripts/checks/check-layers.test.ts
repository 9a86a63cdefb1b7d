// check-layers: what it refuses, where it says so, and what it lets pass. Thread: main.

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { checkLayers, type LayerReport, type LayerTables } from '../../../../scripts/checks/check-layers-rules.ts';
import { formatFindings, readSourceFiles } from '../../../../scripts/checks/source-files.ts';
import { runScript, writeTree, type Tree } from '../fixture-tree.ts';

const TABLES: LayerTables = {
  ranks: [['core'], ['left', 'right'], ['top', 'top/main.ts'], ['bin']],
  above: ['test'],
  threadOf: { bin: 'main', test: undefined },
  filled: ['core'],
  loaders: [],
  packages: { yaml: ['left'], '@scope/kit': ['right', 'top/main.ts'] },
};

const BOTH = '// A file. Thread: both.\n';
const MAIN = '// A file. Thread: main.\n';
const WORKER = '// A file. Thread: worker.\n';
const CORE = { 'core/base.ts': `${BOTH}export const base = 1;\nexport type Base = number;\n` };

function check(t: TestContext, tree: Tree): LayerReport {
  return checkLayers(readSourceFiles(writeTree(t, { ...CORE, ...tree })), TABLES);
}

/** The findings as "path:line: rule". */
function broken(t: TestContext, tree: Tree): string[] {
  const lines = formatFindings(check(t, tree).findings);
  return lines.map((line) => line.split(': ').slice(0, 2).join(': '));
}

describe('ranks', () => {
  test('an import of a lower rank and one within a folder pass', (t) => {
    const tree = {
      'left/a.ts': `${BOTH}import { base } from '../core/base.ts';\nimport { b } from './b.ts';\nexport const a = base + b;\n`,
      'left/b.ts': `${BOTH}export const b = 1;\n`,
    };
    const report = check(t, tree);
    assert.deepEqual(report.findings, []);
    assert.equal(report.fileCount, 3);
    assert.equal(report.importCount, 2);
    assert.deepEqual(
      [...report.folderCounts],
      [
        ['core', 1],
        ['left', 2],
      ],
    );
  });

  const upward = {
    import: `import { up } from '../left/up.ts';\nexport const x = up;\n`,
    're-export': `export { up } from '../left/up.ts';\nexport const x = 1;\n`,
    'export of everything': `export * from '../left/up.ts';\nexport const x = 1;\n`,
    'import type': `import type { Up } from '../left/up.ts';\nexport const x: Up = 1;\n`,
    'dynamic import': `export const x = import('../left/up.ts');\n`,
    'template as dynamic import': 'export const x = import(`../left/up.ts`);\n',
    'type query': `export type X = import('../left/up.ts').Up;\n`,
    'side effect import': `import '../left/up.ts';\n`,
    'import equals': `import up = require('../left/up.ts');\nexport const x = up;\n`,
    'worker URL': `export const x = new URL('../left/up.ts', import.meta.url);\n`,
    'resolved name': `export const x = import.meta.resolve('../left/up.ts');\n`,
  };
  for (const [kind, text] of Object.entries(upward)) {
    test(`a higher rank is refused through: ${kind}`, (t) => {
      const up = { 'left/up.ts': `${BOTH}export const up = 1;\nexport type Up = number;\n` };
      assert.deepEqual(broken(t, { ...up, 'core/x.ts': BOTH + text }), ['core/x.ts:2: rank']);
    });
  }

  test('another folder of the same rank is refused, and the message names both', (t) => {
    const tree = {
      'left/a.ts': `${BOTH}import { b } from '../right/b.ts';\nexport const a = b;\n`,
      'right/b.ts': `${BOTH}export const b = 1;\n`,
    };
    const { findings } = check(t, tree);
    assert.equal(findings.length, 1);
    assert.match(findings[0]!.message, /^right\/b\.ts \(right\) has the same rank as left: /);
  });

  test('a folder above all ranks may import everything, and no rank may import it', (t) => {
    const tree = {
      'test/a.ts': `import { base } from '../core/base.ts';\nexport const a = base;\n`,
      'core/x.ts': `${BOTH}import { a } from '../test/a.ts';\nexport const x = a;\n`,
    };
    assert.deepEqual(broken(t, tree), ['core/x.ts:2: rank']);
  });

  test('a folder without a rank is refused', (t) => {
    assert.deepEqual(broken(t, { 'odd/a.ts': `${BOTH}export const a = 1;\n` }), ['odd/a.ts:1: no rank']);
  });

  test('a folder that should hold files and holds none is refused', () => {
    const { findings, fileCount } = checkLayers([], TABLES);
    assert.equal(fileCount, 0);
    assert.deepEqual(formatFindings(findings), ['core:1: empty folder: no .ts file was seen here']);
  });
});

describe('cycles', () => {
  test('a cycle is named in full, once', (t) => {
    const tree = {
      'left/a.ts': `${BOTH}import { b } from './b.ts';\nexport const a = (): number => b();\n`,
      'left/b.ts': `${BOTH}import { c } from './c.ts';\nexport const b = (): number => c();\n`,
      'left/c.ts': `${BOTH}import { a } from './a.ts';\nexport const c = (): number => a();\n`,
    };
    const { findings } = check(t, tree);
    assert.equal(findings.length, 1);
    assert.match(
      formatFindings(findings)[0]!,
      /^left\/a\.ts:2: cycle: left\/a\.ts -> left\/b\.ts -> left\/c\.ts -> left\/a\.ts: /,
    );
  });

  test('a cycle of types alone is one too', (t) => {
    const tree = {
      'left/a.ts': `${BOTH}import type { B } from './b.ts';\nexport interface A { readonly b: B }\n`,
      'left/b.ts': `${BOTH}import type { A } from './a.ts';\nexport interface B { readonly a: A }\n`,
    };
    assert.deepEqual(broken(t, tree), ['left/a.ts:2: cycle']);
  });

  test('a file that imports itself is a cycle', (t) => {
    const text = `${BOTH}import type { A } from './a.ts';\nexport interface A { readonly next: A }\n`;
    assert.deepEqual(broken(t, { 'left/a.ts': text }), ['left/a.ts:2: cycle']);
  });

  test('two cycles are two findings, and a file that only imports one is none', (t) => {
    const importing = (name: string): string =>
      `${BOTH}import type { T } from './${name}.ts';\nexport type T2 = T;\nexport type T = 1;\n`;
    const tree = {
      'left/a.ts': importing('b'),
      'left/b.ts': importing('c'),
      'left/c.ts': importing('b'),
      'left/d.ts': importing('e'),
      'left/e.ts': importing('d'),
    };
    assert.deepEqual(broken(t, tree), ['left/b.ts:2: cycle', 'left/d.ts:2: cycle']);
  });
});

describe('threads', () => {
  const thread = (importer: string, imported: string): Tree => ({
    'left/a.ts': `${importer}import { b } from './b.ts';\nexport const a = b;\n`,
    'left/b.ts': `${imported}export const b = 1;\n`,
  });

  for (const [name, importer, imported] of [
    ['worker may not import main', WORKER, MAIN],
    ['main may not import worker', MAIN, WORKER],
    ['both may not import main', BOTH, MAIN],
    ['both may not import worker', BOTH, WORKER],
  ] as const) {
    test(name, (t) => {
      assert.deepEqual(broken(t, thread(importer, imported)), ['left/a.ts:2: thread']);
    });
  }

  for (const [name, importer, imported] of [
    ['worker may import worker', WORKER, WORKER],
    ['worker may import both', WORKER, BOTH],
    ['main may import main', MAIN, MAIN],
    ['main may import both', MAIN, BOTH],
  ] as const) {
    test(name, (t) => {
      assert.deepEqual(broken(t, thread(importer, imported)), []);
    });
  }

  test('a file whose opening comment names no thread is refused, even if another comment does', (t) => {
    const text = `// A file.\n\n// Thread: both.\nexport const a = 'Thread: both.';\n`;
    assert.deepEqual(broken(t, { 'left/a.ts': text }), ['left/a.ts:1: no thread']);
  });

  test('a file without any comment is refused', (t) => {
    assert.deepEqual(broken(t, { 'left/a.ts': `export const a = 1;\n` }), ['left/a.ts:1: no thread']);
  });

  test('the thread may stand in a block comment, or on a later line of the first comment', (t) => {
    const tree = {
      'left/a.ts': `/**\n * A file.\n * Thread: worker.\n */\nexport const a = 1;\n`,
      'left/b.ts': `// A file\n// of two lines. Thread:\n// main.\n\nexport const b = 1;\n`,
    };
    assert.deepEqual(broken(t, tree), []);
  });

  test('bin counts as main by default', (t) => {
    const tree = {
      'bin/run.ts': `#!/usr/bin/env node\nimport { a } from '../left/a.ts';\nconsole.log(a);\n`,
      'left/a.ts': `${WORKER}export const a = 1;\n`,
    };
    assert.deepEqual(broken(t, tree), ['bin/run.ts:2: thread']);
  });

  test('a worker URL goes from main to worker, also with a computed extension', (t) => {
    const url = 'new URL(`./worker${import.meta.filename.slice(-3)}`, import.meta.url)';
    const tree = {
      'top/main.ts': `${MAIN}export const url = ${url};\n`,
      'top/worker.ts': `${WORKER}export const a = 1;\n`,
    };
    const report = check(t, tree);
    assert.deepEqual(report.findings, []);
    assert.equal(report.workerUrlCount, 1);
  });

  test('a worker URL in a module of both threads, or of a main module, is refused', (t) => {
    const tree = {
      'top/a.ts': `${BOTH}export const url = new URL('./b.ts', import.meta.url);\n`,
      'top/b.ts': `${WORKER}export const b = 1;\n`,
      'top/c.ts': `${MAIN}export const url = new URL(import.meta.main ? './d.ts' : './d.js', import.meta.url);\n`,
      'top/d.ts': `${MAIN}export const d = 1;\n`,
    };
    assert.deepEqual(broken(t, tree), ['top/a.ts:2: thread', 'top/c.ts:2: thread']);
  });

  test('the URL of another file than a source is no import', (t) => {
    const text = `${BOTH}export const page = new URL('./page.html', import.meta.url);\nexport const x = new URL('/x.ts', 'http://a');\n`;
    assert.equal(check(t, { 'left/a.ts': text }).importCount, 0);
  });
});

describe('files and packages', () => {
  test('a barrel is refused, in all its forms', (t) => {
    const tree = {
      'left/a.ts': `${BOTH}export * from '../core/base.ts';\n`,
      'left/b.ts': `${BOTH}export { base } from '../core/base.ts';\nexport type { Base } from '../core/base.ts';\n`,
      'left/c.ts': `${BOTH}import { base } from '../core/base.ts';\nexport { base };\n`,
    };
    assert.deepEqual(broken(t, tree), ['left/a.ts:1: barrel', 'left/b.ts:1: barrel', 'left/c.ts:1: barrel']);
  });

  test('a file that re-exports a type beside its own code is no barrel', (t) => {
    const text = `${BOTH}export type { Base } from '../core/base.ts';\nexport const a = 1;\n`;
    assert.deepEqual(broken(t, { 'left/a.ts': text }), []);
  });

  test('a relative import needs its extension and its file', (t) => {
    const text = `${BOTH}import { base } from '../core/base';\nimport { gone } from './gone.ts';\nimport '../core/base.js';\nconsole.log(base, gone);\n`;
    assert.deepEqual(broken(t, { 'left/a.ts': text }), [
      'left/a.ts:2: no extension',
      'left/a.ts:3: no such file',
      'left/a.ts:4: no extension',
    ]);
  });

  test('.mts files are read, declarations alone are not', (t) => {
    const tree = {
      'left/a.mts': `${BOTH}import '../right/b.mts';\n`,
      'right/b.mts': BOTH,
      'odd/c.d.ts': '',
      'odd/d.d.mts': '',
    };
    assert.deepEqual(broken(t, tree), ['left/a.mts:2: rank']);
  });

  test('a module name that is computed is refused below the top, and only there', (t) => {
    const text = `export const a = (name: string): unknown => import(name);\n`;
    assert.deepEqual(broken(t, { 'left/a.ts': BOTH + text, 'test/a.ts': text }), ['left/a.ts:2: computed import']);
  });

  test('a package is restricted to the places of its row, by subpath and for types too', (t) => {
    const text = `${BOTH}import type { Node } from 'yaml';\nimport kit from '@scope/kit/deep';\nexport const a: Node = kit;\n`;
    const tree = { 'left/a.ts': text, 'right/a.ts': text, 'top/main.ts': text, 'top/other.ts': text };
    assert.deepEqual(broken(t, tree), [
      'left/a.ts:3: package',
      'right/a.ts:2: package',
      'top/main.ts:2: package',
      'top/other.ts:2: package',
      'top/other.ts:3: package',
    ]);
  });

  test('a package without a row is refused, and a built-in module needs its prefix', (t) => {
    const text = `${BOTH}import x from 'toString';\nimport fs from 'fs';\nimport net from 'node:net';\nconsole.log(x, fs, net);\n`;
    assert.deepEqual(broken(t, { 'left/a.ts': text }), ['left/a.ts:2: package', 'left/a.ts:3: builtin']);
  });

  test('text that only looks like an import is none', (t) => {
    const text =
      "// import x from 'gone';\nexport const a = `import b from '../left/b.ts'`;\nexport const r = /import c from 'd'/;\n";
    assert.equal(check(t, { 'left/a.ts': BOTH + text }).importCount, 0);
  });

  test('bad syntax is a finding', (t) => {
    assert.deepEqual(broken(t, { 'left/a.ts': `${BOTH}export const a = ;\n` }), ['left/a.ts:2: syntax']);
  });
});

describe('the script', () => {
  test('prints file, line, advice and a summary, and exits with 1', (t) => {
    const root = writeTree(t, {
      'core/a.ts': `${MAIN}import { b } from '../config/b.ts';\nexport const a = b;\n`,
      'config/b.ts': MAIN,
    });
    const { status, output } = runScript('check-layers.ts', ['--root', root]);
    assert.equal(status, 1);
    assert.match(output, /^core\/a\.ts:2: rank: config\/b\.ts \(config\) ranks above core: turn/m);
    assert.match(output, /^bin:1: empty folder/m);
    assert.match(
      output,
      /^check-layers: read 2 files \(config 1, core 1\), 1 imports, 0 worker URLs: 0 cycles, 12 broken rules$/m,
    );
  });

  test('passes a tree in which every folder has a file', (t) => {
    const folders = [
      'bin',
      'control',
      'core',
      'balancers',
      'config',
      'discovery',
      'providers',
      'health',
      'logging',
      'net',
      'proxy/http1',
      'admin',
      'scripts',
      'test',
    ];
    const tree = Object.fromEntries(folders.map((folder) => [`${folder}/a.ts`, `${BOTH}export const a = 1;\n`]));
    const { status, output } = runScript('check-layers.ts', ['--root', writeTree(t, tree)]);
    assert.equal(status, 0);
    assert.match(output, /read 14 files .* 0 cycles, no rule broken$/m);
  });
});
