// `include`: files, patterns, order, duplicates, cycles, places of problems. Thread: main.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { loadConfig, type LoadResult } from '../../../../config/load.ts';
import { renderProblem } from '../../../../config/problems/problem-text.ts';
import { printedConfig } from '../../../../config/yaml/printed-config.ts';

const BASE = `listeners: [{ name: web, bind: ":80" }]
upstreams: { app: { endpoints: [http://10.0.0.1], health: { heartbeat: false } } }
`;
const SITE = (name: string): string => `routes: [{ name: ${name}, match: { host: ${name}.example }, upstream: app }]\n`;

/** Writes files and loads `main.yaml`. */
function load(t: TestContext, files: Readonly<Record<string, string>>): { result: LoadResult; folder: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-include-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text, { mode: 0o600 });
  }
  return { result: loadConfig(path.join(folder, 'main.yaml'), { HOST: 'h.example' }), folder };
}

/** The problems with the folder left out. */
function problemsOf({ result, folder }: ReturnType<typeof load>): string[] {
  const problems = result.ok ? result.warnings : result.problems;
  return problems.flatMap((problem) => renderProblem(problem).replaceAll(`${folder}/`, '').split('\n'));
}

function routesOf({ result }: ReturnType<typeof load>): (string | undefined)[] {
  assert.ok(result.ok, JSON.stringify(result));
  return result.config.settings.routes.map(({ name }) => name);
}

describe('included files', () => {
  test('are sorted by name, join at the position of include, and may include others', (t) => {
    const loaded = load(t, {
      'main.yaml': `${BASE}include: [conf.d/*.yaml, last.yaml]\nroutes: [{ name: own, respond: {} }]\n`,
      'conf.d/20.yaml': SITE('b'),
      'conf.d/10.yaml': `${SITE('a')}include: ../more/*.y?ml\nupstreams: { more: { endpoints: [http://10.0.0.2], health: { heartbeat: false } } }\n`,
      'conf.d/.hidden.yaml': '][',
      'conf.d/empty.yaml': '# nothing here\n',
      'conf.d/notes.txt': '][',
      'more/x.yaml': `routes: [{ name: x, match: { host: "\${HOST}" }, upstream: more }]\n`,
      'last.yaml': SITE('z'),
    });
    assert.deepEqual(routesOf(loaded), ['a', 'x', 'b', 'z', 'own']);
    assert.ok(loaded.result.ok);
    const { config } = loaded.result;
    assert.deepEqual(
      config.included.files.map((file) => path.relative(loaded.folder, file)),
      ['conf.d/10.yaml', 'more/x.yaml', 'conf.d/20.yaml', 'conf.d/empty.yaml', 'last.yaml'],
    );
    assert.equal(config.included.patterns.length, 2);
    const printed = printedConfig(config, { isRedacted: false, hasDefaults: false });
    assert.doesNotMatch(printed, /include/);
    assert.match(printed, /h\.example/);
  });

  test('come after the routes of the file where include is written after them', (t) => {
    const files = {
      'main.yaml': `${BASE}routes: [{ name: own, match: { path: /o }, respond: {} }]\ninclude: a.yaml\n`,
    };
    assert.deepEqual(routesOf(load(t, { ...files, 'a.yaml': SITE('a') })), ['own', 'a']);
  });

  test('have their problems located in them, with defaults and groups of another file', (t) => {
    const loaded = load(t, {
      'main.yaml': `${BASE}defaults: { routes: { priority: critical } }\ninclude: d/*.yaml\n`,
      'd/a.yaml': 'routes:\n  - match: { host: a.example }\n    routes: [{ match: { path: a }, upstream: ap }]\n',
      'd/b.yaml': 'routes:\n  - { name: b, match: { path: /b }, routes: [{ upstream: app, pripority: default }] }\n',
    });
    assert.deepEqual(problemsOf(loaded), [
      'd/a.yaml:3:31: "a" is not a path: begin with /, percent-encode characters outside ASCII, and omit ? and # (match the query with the key query) (routes[0].routes[0].match.path) [FL2006]',
      '    3 |     routes: [{ match: { path: a }, upstream: ap }]',
      '      |                               ^',
      'd/a.yaml:3:46: upstream "ap" does not exist; did you mean "app"? (routes[0].routes[0].upstream) [FL3001]',
      '    3 |     routes: [{ match: { path: a }, upstream: ap }]',
      '      |                                              ^^ write app',
      ...problemsOf(loaded).slice(6),
    ]);
    assert.match(
      problemsOf(loaded)[6]!,
      /^d\/b\.yaml:2:63: unknown key "pripority"; did you mean "priority"\?.*\(routes\[0\]\.routes\[0\]\.pripority\)/,
    );
  });

  test('with a syntax error are reported alone, and still watched', (t) => {
    const loaded = load(t, { 'main.yaml': `${BASE}include: a.yaml\n`, 'a.yaml': 'routes:\n\t- {}\n' });
    assert.deepEqual(problemsOf(loaded).slice(0, 1), [
      'a.yaml:2:1: tab in the indentation: YAML allows spaces only [FL1101]',
    ]);
    assert.ok(!loaded.result.ok);
    assert.deepEqual(loaded.result.included.files, [path.join(loaded.folder, 'a.yaml')]);
  });

  const REFUSED: Readonly<Record<string, readonly [files: Record<string, string>, problems: readonly string[]]>> = {
    'an upstream, a listener and a route of the same name': [
      {
        'main.yaml': `${BASE}routes: [{ name: a, match: { path: /x }, respond: {} }]\ninclude: a.yaml\n`,
        'a.yaml': `upstreams: { app: { endpoints: [http://b] } }\nlisteners: [{ name: web, bind: ":81" }]\n${SITE('a')}`,
      },
      [
        'a.yaml:1:14: upstream "app" is already defined in main.yaml:2: keep one of them (upstreams.app) [FL3003]',
        'a.yaml:2:21: listeners[0] in main.yaml:1 is also named "web": listener names must be unique (listeners[0].name) [FL3003]',
        'a.yaml:3:18: routes[0] in main.yaml:3 is also named "a": route names must be unique (routes[0].name) [FL3003]',
      ],
    ],
    'a setting of two files': [
      {
        'main.yaml': `${BASE}log: { level: info }\ndefaults: { routes: {} }\ninclude: a.yaml\nroutes: [{ upstream: app }]\n`,
        'a.yaml': 'log: { level: debug }\ndefaults: { routes: {}, upstreams: {} }\n',
      },
      [
        'a.yaml:1:1: "log" is already set in main.yaml:3: keep one of them (log) [FL3003]',
        'a.yaml:2:13: "defaults.routes" is already defined in main.yaml:4: keep one of them (defaults.routes) [FL3003]',
      ],
    ],
    'a cycle': [
      { 'main.yaml': `${BASE}include: a.yaml\n`, 'a.yaml': 'include: b.yaml\n', 'b.yaml': 'include: [a.yaml]\n' },
      ['b.yaml:1:11: a.yaml includes itself through b.yaml: remove it from "include" (include[0]) [FL1006]'],
    ],
    'the file itself': [
      { 'main.yaml': `${BASE}include: "*.yaml"\n` },
      ['main.yaml:3:10: main.yaml includes itself: remove it from "include" (include) [FL1006]'],
    ],
    'a file twice': [
      { 'main.yaml': `${BASE}include: [a.yaml, ./a.y*]\n`, 'a.yaml': SITE('a') },
      [
        'main.yaml:3:19: a.yaml is included twice: remove one of the entries or patterns that match it (include[1]) [FL1006]',
      ],
    ],
    'a list': [
      { 'main.yaml': `${BASE}include: a.yaml\n`, 'a.yaml': '- upstream: app\n' },
      ['a.yaml:1:1: an included file must be a mapping with routes, upstreams or other keys [FL2004]'],
    ],
  };
  for (const [title, [files, expected]] of Object.entries(REFUSED)) {
    test(`are refused: ${title}`, (t) => {
      const found = problemsOf(load(t, files)).filter((line) => /\[FL\d+\]$/.test(line) && !line.includes('FL9'));
      assert.deepEqual(found, expected);
    });
  }
});
