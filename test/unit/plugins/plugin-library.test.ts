// Loading of plugins: one of each kind through its table alone, reloads after a change, and modules that are no plugins.
// Thread: main.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { allBalancers } from '../../../balancers/registry.ts';
import { compile, newTables } from '../../../config/compile/compile.ts';
import { loadConfigText } from '../../../config/load.ts';
import { allCheckers } from '../../../health/checkers/checkers.ts';
import { allLogFormats } from '../../../logging/access/log-formats.ts';
import { digestOf, loadPlugin, refreshPlugins } from '../../../plugins/plugin-library.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-plugins-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): { file: string; digest: string } {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return { file, digest: digestOf(text) };
}

const ONE_OF_EACH = `
const shared = { options: () => ({}), compile: () => ({ toy: true }) };
export const policies = [{ ...shared, name: 'toy-policy', create: () => ({}) }];
export const balancers = [{
  ...shared,
  name: 'toy-balancer',
  build: (_settings, { usable }) => ({ pick: () => usable[0]?.slot ?? -1 }),
  because: () => 'it is the first',
}];
export const checkers = [{
  ...shared,
  name: 'toy-checker',
  run: (_target, done) => { done({ kind: 'ok', cause: 'always' }); return { phase: () => '', cancel() {} }; },
  describe: () => 'toy',
  covers: () => false,
}];
export const logFormats = [{ ...shared, name: 'toy-format', build: () => ({ status }) => 'toy ' + status }];
`;

function load(plugins: string) {
  const text = `plugins: [${plugins}]
listeners: [{ name: web, bind: ":80" }]
routes: [{ upstream: app, policies: [{ toy-policy: true }] }]
upstreams:
  app:
    balance: toy-balancer
    endpoints: [http://10.0.0.1:1]
    health: { heartbeat: { type: toy-checker } }
accessLog: { format: toy-format, output: stdout }
`;
  return loadConfigText(text, { file: 'fairlead.yaml', directory: folder, environment: {}, wallMs: 0 });
}

describe('a plugin', () => {
  test('with one of each kind is complete by itself', () => {
    assert.equal(load('').ok, false);
    write('toys.mjs', ONE_OF_EACH);
    const loaded = load('./toys.mjs');
    assert.ok(loaded.ok, JSON.stringify(loaded));
    const made = compile(loaded.config, newTables({ endpoints: 4, upstreams: 4, listeners: 4 }), 1);
    const [upstream] = made.upstreams;
    assert.equal(upstream!.balance.kind, 'toy-balancer');
    assert.equal(upstream!.heartbeat!.kind, 'toy-checker');
    assert.equal(made.accessLog!.format, 'toy-format');
    assert.deepEqual(made.routes[0]!.policies.at(-1)!.data, { toy: true });
    assert.deepEqual(structuredClone(made), made);
    const names = [...allBalancers(), ...allCheckers(), ...allLogFormats()].map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => name.startsWith('toy-')),
      ['toy-balancer', 'toy-checker', 'toy-format'],
    );
  });

  test('is evaluated once, and again only after its bytes have changed', async () => {
    const counting = (mark: string) =>
      `globalThis.loads = (globalThis.loads ?? 0) + 1; // ${mark}\nexport const policies = [{ name: 'counted', options: () => ({}), compile: () => ({}), create: () => ({}) }];`;
    const first = write('counted.mjs', counting('one'));
    const loads = () => (globalThis as { loads?: number }).loads;
    assert.equal(loadPlugin(first).ok, true);
    await refreshPlugins([first]);
    assert.equal(loadPlugin(first).ok, true);
    assert.equal(loads(), 1);
    const second = write('counted.mjs', counting('two'));
    assert.deepEqual(loadPlugin(second), { ok: false, reason: 'changed while it was being loaded: reload once more' });
    await refreshPlugins([second]);
    assert.equal(loadPlugin(second).ok, true);
    assert.equal(loads(), 2);
  });

  test('may be TypeScript outside node_modules', () => {
    const text = `const name: string = 'typed';
export default { name, options: () => ({}), compile: () => ({}), create: () => ({}) };`;
    const load = loadPlugin(write('typed.ts', text));
    assert.deepEqual(load.ok && load.parts.policies.map(({ name, scope, stage }) => [name, scope, stage]), [
      ['typed', 'route', 'shape'],
    ]);
  });
});

describe('a module that is no plugin is refused with a reason', () => {
  const policy = (more: string) =>
    `export const policies = [{ name: 'p', options: () => ({}), compile: () => ({}), create: () => ({}), ${more} }];`;
  const CASES: readonly (readonly [name: string, text: string, reason: RegExp])[] = [
    ['throws.mjs', "throw new Error('at once');", /^cannot be loaded: Error: at once$/],
    ['syntax.mjs', 'export const policies = [', /^cannot be loaded: SyntaxError/],
    ['missing.mjs', "import './nowhere.mjs';", /^cannot be loaded: .*nowhere\.mjs/],
    ['await.mjs', 'export const policies = await [];', /^uses top-level await/],
    ['enum.ts', 'enum A { B }\nexport const policies = [];', /^has TypeScript syntax that Node cannot erase/],
    ['node_modules/p/index.ts', 'export const policies: [] = [];', /^is TypeScript under node_modules/],
    ['nothing.mjs', 'export const other = 1;', /^exports nothing that a plugin provides/],
    ['list.mjs', 'export const policies = {};', /^exports policies that are not a list$/],
    ['name.mjs', policy("name: 'Big Name'"), /^has a policy named "Big Name"/],
    ['create.mjs', policy('create: 5'), /^has a policy p whose create is not a function$/],
    ['scope.mjs', policy("scope: 'world'"), /^has a policy p whose scope is none of/],
    ['stage.mjs', policy("stage: 'late'"), /^has a policy p whose stage is none of admit/],
    ['needs.mjs', policy("needs: ['everything']"), /^has a policy p whose needs are not a list of/],
    ['budget.mjs', policy('budgetMs: -1'), /^has a policy p whose budgetMs is not a number/],
    ['twins.mjs', `${policy('')}\npolicies.push(policies[0]);`, /^has two policies named p$/],
    ['balancer.mjs', "export const balancers = [{ name: 'b' }];", /^exports balancers of which b has a options that/],
  ];
  for (const [name, text, reason] of CASES) {
    test(name, () => {
      const load = loadPlugin(write(name, text));
      assert.equal(load.ok, false);
      assert.match(load.ok ? '' : load.reason, reason);
    });
  }
});
