// Parts of providers, loaded with the file: precedence, problems of single objects, texts of strangers. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadConfigText } from '../../../config/load.ts';
import { type ConfigPart, literalText, nameOf } from '../../../providers/provider.ts';
import { compile, newTables } from '../../../config/compile/compile.ts';

const FILE = `
listeners: [{ name: web, bind: :80 }]
providers: { kubernetes: {} }
defaults: { upstreams: { health: { heartbeat: { path: /healthz } } } }
upstreams: { own: { endpoints: [http://a] } }
`;
const ROUTES = 'routes: [{ name: own, match: { path: /own }, upstream: own }]';

function load(parts: readonly ConfigPart[], file = FILE + ROUTES) {
  const environment = { SECRET: 'leaked' };
  return loadConfigText(file, { file: 'fairlead.yaml', directory: '/', environment, wallMs: 0, parts });
}

const upstream = (name: string): ConfigPart => ({
  origin: `test service ${name}`,
  config: { upstreams: { [name]: { endpoints: ['http://b'] } } },
});

function route(name: string, parts: object): ConfigPart {
  return { origin: `test router ${name}`, config: { routes: [{ name, ...parts }] } };
}

describe('parts of providers', () => {
  test('follow those of the file, and inherit its defaults', () => {
    const loaded = load([upstream('app'), route('one', { match: { path: '/' }, upstream: 'app' })]);
    assert.ok(loaded.ok);
    const { settings, origins } = loaded.config;
    assert.deepEqual(
      settings.routes.map(({ name }) => name),
      ['own', 'one'],
    );
    assert.notEqual(settings.upstreams['app']!.health.heartbeat, undefined);
    assert.deepEqual(origins, { routes: { one: 'test router one' }, upstreams: { app: 'test service app' } });
    const written = JSON.stringify(loaded.config.written());
    assert.ok(written.includes('"one"') && written.includes('"app"'), 'they are shown');
  });

  test('may be all routes, or none', () => {
    assert.ok(load([], FILE).ok, 'a file with providers needs no routes');
    assert.ok(load([upstream('app'), route('one', { upstream: 'app' })], FILE).ok);
    assert.equal(load([], FILE.replace(/^providers.*$/m, '')).ok, false);
  });

  const FAULTS: readonly (readonly [what: string, part: ConfigPart, message: RegExp])[] = [
    ['of a name of the file', upstream('own'), /upstream "own" is already defined in fairlead\.yaml:5/],
    ['with a wrong value', route('one', { match: { path: '/a*' }, upstream: 'own' }), /"\/a\*" has a wildcard/],
    ['with an unknown upstream', route('one', { upstream: 'none' }), /none/],
    [
      'with an unknown value in braces',
      route('one', { respond: { body: '{nonsense}' } }),
      /\{nonsense\} is not a value/,
    ],
  ];
  for (const [what, part, message] of FAULTS) {
    test(`${what} are located in their object`, () => {
      const loaded = load([part]);
      assert.ok(!loaded.ok);
      const errors = loaded.problems.filter(({ severity }) => severity === 'error');
      assert.deepEqual([...new Set(errors.map(({ file }) => file))], [part.origin]);
      assert.match(errors[0]!.message, message);
    });
  }

  test('read no environment: dollar signs and braces are literal', () => {
    for (const text of ['${SECRET}', '$${SECRET}', '{env.SECRET}', '{{env.SECRET}}', '{{{env.SECRET}}}', '$SECRET']) {
      const loaded = load([route('one', { respond: { body: literalText(text) } })]);
      assert.ok(loaded.ok, text);
      const snapshot = compile(loaded.config, newTables({ endpoints: 8, upstreams: 8, listeners: 8 }), 1);
      const shown = JSON.stringify(snapshot.routes);
      assert.ok(!shown.includes('leaked'), `${text}: ${shown}`);
      assert.ok(shown.includes('SECRET'), `${text} is kept: ${shown}`);
    }
  });

  test('have names within the limit, different for different objects', () => {
    const long = 'n'.repeat(200);
    assert.equal(nameOf('ingress', 'shop', 'web', '1'), 'ingress.shop.web.1');
    assert.equal(nameOf(long, '1').length, 63);
    assert.notEqual(nameOf(long, '1'), nameOf(long, '2'));
  });
});
