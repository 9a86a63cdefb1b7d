// All pages: examples load, links resolve, the commands and files that they name exist. Thread: main.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { buildProgram } from '../../../bin/commands/program.ts';
import { compile, newTables } from '../../../config/compile/compile.ts';
import { isKnownKey } from '../../../config/schema/known-keys.ts';
import { loadConfigText } from '../../../config/load.ts';
import { formatProblem } from '../../../config/problems/problem.ts';
import { privateCertificates } from '../../support/private-certificates.ts';
import { SourceText } from '../../../config/yaml/source-text.ts';
import { buildTree } from '../../../config/yaml/tree-builder.ts';
import { parseYaml } from '../../../config/yaml/yaml-text.ts';
import { allPages, anchorsOf, codeSpans, exists, type Fence, localLinks, type Page, readPage, ROOT } from './pages.ts';

const PAGES = allPages();
/** The certificates of examples, and a time at which they are valid. */
const CERTIFICATES = path.join(privateCertificates(), 'certificates');
/** A directory with an index.html. */
const SITE = path.join(ROOT, 'examples/public');
const WALL_MS = Date.UTC(2030, 0, 1);
/** The folder of examples' logs. `check` requires it to exist, so the tests replace it. */
const LOGS = '/var/log/fairlead';

test('the main pages exist', () => {
  const names = new Set(PAGES.map((page) => page.name));
  for (const name of [
    'README.md',
    'CHANGELOG.md',
    'haproxy-compat.md',
    'docs/operations.md',
    'docs/admin-api.md',
    'docs/config-reference.md',
    'docs/glossary.md',
    'docs/life-of-a-request.md',
    'docs/metrics.md',
    'docs/threading.md',
    'docs/decisions/README.md',
  ])
    assert.ok(names.has(name), name);
});

test('no page has conflict markers', () => {
  for (const { name, prose } of PAGES) {
    assert.equal(
      prose.findIndex((line) => /^(?:<{7}|>{7}) /.test(line)),
      -1,
      name,
    );
  }
});

/** Without examples of plugins, which test/integration/plugins runs. */
const yamlFences = PAGES.flatMap((page) =>
  page.fences.filter(({ info, text }) => info === 'yaml' && !/^plugins:/m.test(text)).map((fence) => ({ page, fence })),
);
/** A part of a configuration may have listeners, too: its fence begins with ```yaml part. */
const isWhole = ({ text, label }: Fence): boolean => label !== 'part' && /^listeners:/m.test(text);

describe('a YAML example', () => {
  test('that is a complete configuration is in the README', () => {
    assert.ok(yamlFences.some(({ page, fence }) => page.name === 'README.md' && isWhole(fence)));
  });

  for (const { page, fence } of yamlFences.filter((one) => isWhole(one.fence))) {
    test(`${page.name}:${fence.line} loads without a warning and compiles`, () => {
      const folders = { CERT_DIR: CERTIFICATES, STATE_DIR: CERTIFICATES, SITE_DIR: SITE, LOG_DIR: tmpdir() };
      const origin = { file: page.name, directory: ROOT, environment: folders, wallMs: WALL_MS };
      const result = loadConfigText(fence.text.replaceAll(LOGS, tmpdir()), origin);
      assert.deepEqual((result.ok ? result.warnings : result.problems).map(formatProblem), []);
      assert.ok(result.ok);
      compile(result.config, newTables({ endpoints: 64, upstreams: 8, listeners: 8 }), 1);
    });
  }

  for (const { page, fence } of yamlFences.filter((one) => !isWhole(one.fence))) {
    test(`${page.name}:${fence.line} has only keys of the schema, from the root`, () => {
      const source = new SourceText(fence.text);
      const yaml = parseYaml(source);
      assert.ok(yaml.ok);
      for (const key of keysIn(buildTree(source, yaml.document, {}).tree.root, '')) assert.ok(isKnownKey(key), key);
    });
  }
});

/** Key paths of a value; a key that isn't in the schema is taken for a user-defined name (`*`). */
function keysIn(value: unknown, prefix: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => keysIn(item, prefix));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const own = prefix === '' ? key : `${prefix}.${key}`;
    const known = !isKnownKey(own) && isKnownKey(`${prefix}.*`) ? `${prefix}.*` : own;
    return [known, ...keysIn(item, known)];
  });
}

describe('a link', () => {
  for (const page of PAGES) {
    const links = localLinks(page);
    if (links.length === 0) continue;
    test(`in ${page.name} resolves to a page, a file or a heading`, () => {
      for (const { target, line } of links) {
        const [file = '', anchor] = target.split('#');
        const name = file === '' ? page.name : path.posix.join(path.posix.dirname(page.name), file);
        assert.ok(exists(name), `${page.name}:${line}: ${target}`);
        if (anchor !== undefined) assert.ok(anchorsOf(readPage(name)).has(anchor), `${page.name}:${line}: ${target}`);
      }
    });
  }
});

/** The path of a file of the repository: at least one folder, and an extension of sources or pages. */
const FILE_NAME = /^(?:[\w.-]+\/)+[\w.-]+\.(?:ts|mjs|md|yaml|sh|json)$/;

describe('a file that is named', () => {
  for (const page of PAGES) {
    const named = page.prose.flatMap((line, index) =>
      codeSpans(line)
        .filter((span) => FILE_NAME.test(span))
        .map((span) => ({ span, line: index + 1 })),
    );
    if (named.length === 0) continue;
    test(`in ${page.name} exists`, () => {
      for (const { span, line } of named) {
        const beside = path.posix.join(path.posix.dirname(page.name), span);
        assert.ok(exists(span) || exists(beside), `${page.name}:${line}: ${span}`);
      }
    });
  }
});

const PROGRAM = buildProgram('1.2.3');

/** The mistakes in the commands of `fairlead` that a text has. */
function mistakesIn(text: string): string[] {
  const typed = [...text.matchAll(/(?<![\w.-])fairlead(?:\.ts)? (?!fairlead )([a-z][^#|&;>]*)/g)];
  return typed.flatMap(([, line]) => {
    const words = line!
      .replaceAll(/'[^']*'/g, 'TEXT')
      .trim()
      .split(/["']?(?:\s+|$)/);
    let command = PROGRAM;
    for (const word of words) {
      const next = command.commands.find((one) => one.name() === word);
      if (next === undefined) break;
      command = next;
    }
    if (command === PROGRAM && words[0] !== 'help') return [`no command ${words[0]}`];
    const known = new Set(['--help', ...command.options.map(({ long }) => long)]);
    const options = words.filter((word) => /^--[a-z]/.test(word)).map((word) => word.replace(/=.*/, ''));
    return options.filter((option) => !known.has(option)).map((option) => `${command.name()} has no ${option}`);
  });
}

const SCRIPTS = (
  JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { scripts: Readonly<Record<string, string>> }
).scripts;

/** Lines of shell fences, and code spans. */
function commandTexts(page: Page): string[] {
  const shell = page.fences
    .filter(({ info }) => info === 'sh')
    .flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n'));
  return [...shell, ...page.prose.flatMap(codeSpans)];
}

/** Pages of the past, which may name commands as they were. */
const HISTORY = /^(?:CHANGELOG\.md|docs\/decisions\/)/;

/** They explain how `fairlead` gets on the path. */
const PATH_PAGES = new Set(['README.md', 'docs/getting-started.md']);

test('a command is written in one way, and the others are explained in one place', () => {
  for (const page of PAGES.filter(({ name }) => !PATH_PAGES.has(name) && !HISTORY.test(name))) {
    for (const text of commandTexts(page)) assert.doesNotMatch(text, /npx fairlead|bin\/fairlead\b/, page.name);
  }
});

for (const page of PAGES.filter(({ name }) => !HISTORY.test(name))) {
  const texts = commandTexts(page);
  if (texts.length === 0) continue;
  describe(`commands in ${page.name}`, () => {
    test('are those of the command line, each with options of its own', () => {
      for (const text of texts) assert.deepEqual(mistakesIn(text), [], text);
    });

    test('name existing files of the repository', () => {
      for (const text of texts) {
        for (const [, name] of text.matchAll(/(?:^|\s)((?:deploy|examples|scripts|docs)\/[\w./-]*\w)/g)) {
          assert.ok(exists(name!), text);
        }
      }
    });

    test('run scripts of package.json', () => {
      for (const text of texts) {
        for (const [, script] of text.matchAll(/npm run ([\w:-]+)/g)) assert.ok(Object.hasOwn(SCRIPTS, script!), text);
      }
    });
  });
}

test('the README names the two commands', () => {
  const texts = commandTexts(readPage('README.md'));
  for (const command of ['npm ci && npm start', 'npm ci && npm test']) assert.ok(texts.includes(command), command);
});
