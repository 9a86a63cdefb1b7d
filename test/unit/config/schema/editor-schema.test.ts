// JSON Schema for editors: it accepts every valid configuration, flags mistakes, and describes keys. Thread: main.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { editorSchema, renderEditorSchema, type JsonSchema } from '../../../../config/schema/editor-schema.ts';
import { load, readCases } from '../golden-cases.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const ajv = new Ajv({ strict: true, strictTypes: false, allErrors: true });
const validate = ajv.compile(editorSchema());

function faultsOf(text: string): string[] {
  const value: unknown = parse(text, { merge: true, uniqueKeys: false });
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const EXAMPLES = readdirSync(path.join(ROOT, 'examples')).filter((name) => name.endsWith('.yaml'));

describe('examples', () => {
  for (const name of EXAMPLES) {
    const text = readFileSync(path.join(ROOT, 'examples', name), 'utf8');
    test(`${name} is valid`, () => assert.deepEqual(faultsOf(text), []));

    test(`${name} refers to the schema`, () => {
      const given = /^# yaml-language-server: \$schema=(\S+)$/m.exec(text.split('\n', 1)[0] ?? '')?.[1];
      assert.ok(given !== undefined && existsSync(path.join(ROOT, 'examples', given)), text);
    });
  }

  test('the README names the path of the schema in the package', () => {
    const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');
    assert.match(readme, /^# yaml-language-server: \$schema=node_modules\/fairlead\/fairlead\.schema\.json$/m);
  });
});

describe('every loadable configuration is valid', () => {
  for (const file of ['yaml.cases', 'shape.cases', 'meaning.cases', 'warnings.cases']) {
    test(`in ${file}`, () => {
      for (const { title, text } of readCases(file)) if (load(text).ok) assert.deepEqual(faultsOf(text), [], title);
    });
  }
});

const VALID = `listeners: [{ name: web, bind: ":80" }]
routes: [{ upstream: app }]
upstreams: { app: { endpoints: [http://a], health: { heartbeat: false } } }
`;

describe('a mistake is flagged', () => {
  const slips = {
    'an unknown key': VALID.replace('bind', 'bnid'),
    'a missing key': VALID.replace('name: web, ', ''),
    'a duration without unit': `${VALID}timeouts: { head: 15 }`,
    'a duration with an odd unit': `${VALID}timeouts: { head: 15sec }`,
    'a size with an odd unit': `${VALID}limits: { head: 64KB }`,
    'a number out of range': `${VALID}workers: 65`,
    'a word that is none of those': `${VALID}accessLog: { format: xml }`,
    'a setting of another balancer': VALID.replace(
      '{ endpoints',
      '{ balance: { strategy: random, seed: 1 }, endpoints',
    ),
    'a list for a mapping': `${VALID}log: []`,
  };
  for (const [name, text] of Object.entries(slips)) test(name, () => assert.notDeepEqual(faultsOf(text), []));
});

test('variables and notes are allowed wherever Fairlead accepts them', () => {
  const text = `${VALID}workers: \${WORKERS:-auto}
fastPath: \${FAST}
x-note: { any: thing }
limits: { head: "\${HEAD}", fields: "\${FIELDS:-100}" }
accessLog: { format: "\${FORMAT:-json}" }
`;
  assert.deepEqual(faultsOf(text), []);
});

test('every property has a description, and no keyword unknown to JSON Schema', () => {
  const lacking: string[] = [];
  const visit = (schema: JsonSchema, at: string): void => {
    for (const word of ['expects', 'example', 'isSecret']) assert.ok(!(word in schema), `${at} has ${word}`);
    for (const [key, one] of Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>)) {
      if (one.description === undefined) lacking.push(`${at}.${key}`);
      visit(one, `${at}.${key}`);
    }
    for (const one of schema.anyOf ?? []) visit(one, at);
    for (const part of ['items', 'additionalProperties'])
      if (typeof schema[part] === 'object') visit(schema[part] as JsonSchema, `${at}[]`);
  };
  visit(editorSchema(), '');
  assert.deepEqual(lacking, []);
  assert.ok(renderEditorSchema().endsWith('}\n'));
});
