// Environment variables in values. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { substitute } from '../../../../config/yaml/environment.ts';
import { compile, newTables } from '../../../../config/compile/compile.ts';
import { load, messagesFor } from '../golden-cases.ts';

const VARIABLES = { NAME: 'value', EMPTY: '', PORT: '8080' };

function textFor(text: string): string {
  const result = substitute(text, VARIABLES);
  assert.deepEqual(result.faults, []);
  return result.text;
}

describe('substitution', () => {
  test('replaces variables and defaults', () => {
    assert.equal(textFor('${NAME}'), 'value');
    assert.equal(textFor('a${NAME}b${PORT}c'), 'avalueb8080c');
    assert.equal(textFor('${NONE:-x}${NAME:-x}'), 'xvalue');
    assert.equal(textFor('${NONE:-}'), '');
    assert.equal(textFor('${NONE:-a:-b}'), 'a:-b');
  });

  test('uses the default for an empty variable, as a shell does, and empty text without one', () => {
    assert.equal(textFor('${EMPTY:-x}'), 'x');
    assert.equal(textFor('[${EMPTY}]'), '[]');
  });

  test('keeps other dollar signs; $$ is one', () => {
    assert.equal(textFor('$NAME $ 5$ a$'), '$NAME $ 5$ a$');
    assert.equal(textFor('$${NAME}'), '${NAME}');
    assert.equal(textFor('$$$${NAME}'), '$${NAME}');
    assert.equal(textFor('$$$$'), '$$');
    assert.equal(textFor('$$${NAME}'), '$value');
  });

  test('does not expand values of variables again', () => {
    assert.equal(substitute('${A}', { A: '${B}', B: 'b' }).text, '${B}');
    assert.equal(substitute('${A}', { A: '$$' }).text, '$$');
  });

  test('does not find inherited properties', () => {
    assert.equal(substitute('${toString}', {}).faults[0]?.code, 'FL1201');
    assert.equal(substitute('${__proto__}', {}).faults[0]?.code, 'FL1201');
  });

  test('reports every fault of a text', () => {
    const codes = substitute('${A} ${1} ${} ${A B} ${', {}).faults.map((fault) => fault.code);
    assert.deepEqual(codes, ['FL1201', 'FL1202', 'FL1202', 'FL1202', 'FL1202']);
  });
});

const CONFIG = `
listeners: [{ name: web, bind: "127.0.0.1:\${PORT}" }]
workers: \${NUMBER}
fastPath: \${FAST:-false}
routes:
  - match: { header: { x-version: "\${NUMBER}" } }
    respond: { body: "\${NUMBER}" }
  - upstream: app
upstreams:
  app:
    endpoints:
      - url: http://a
        weight: \${NUMBER}
    health: { heartbeat: false }
`;

describe('variables in a configuration', () => {
  test('become numbers and booleans where the schema requires them, and remain text elsewhere', () => {
    const result = load(CONFIG);
    assert.ok(result.ok);
    const snapshot = compile(result.config, newTables({ endpoints: 1, upstreams: 1, listeners: 1 }), 1);
    assert.equal(snapshot.workers, 3);
    assert.equal(snapshot.fastPath, false);
    assert.equal(snapshot.upstreams[0]?.endpoints[0]?.weight, 3);
    assert.deepEqual(snapshot.routes[0]?.match.headers[0]?.match, { kind: 'exact', value: '3' });
    assert.deepEqual(snapshot.listeners[0]?.bind, { kind: 'tcp', host: '127.0.0.1', port: 8080 });
  });

  test('remain text in quotes, as every quoted value does', () => {
    const messages = messagesFor(CONFIG.replace('workers: ${NUMBER}', 'workers: "${NUMBER}"'));
    assert.equal(messages.length, 3);
    assert.match(messages[0] ?? '', /^fairlead\.yaml:3:10: "workers" must be auto or a whole number/);
  });

  test('are converted behind anchors and merge keys too', () => {
    const text = `
x-weight: &weighted { weight: 1 }
x-defaults: &defaults
  weight: \${NUMBER}
listeners: [{ name: web, bind: ":80" }]
routes: [{ upstream: app }]
upstreams:
  app:
    health: { heartbeat: false }
    endpoints:
      - { <<: *defaults, url: http://a }
      - { <<: [*weighted, *defaults], url: http://b }
      - { <<: *defaults, url: http://c, weight: 9 }
`;
    const result = load(text);
    assert.ok(result.ok);
    assert.deepEqual(
      result.config.settings.upstreams['app']?.endpoints.map((endpoint) => endpoint.weight),
      [3, 1, 9],
    );
  });
});
