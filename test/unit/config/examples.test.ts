// The example files load without a warning, and one of them has every key. Thread: main.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { compile, newTables } from '../../../config/compile/compile.ts';
import { isKnownKey, knownKeys } from '../../../config/schema/known-keys.ts';
import { loadConfigText, type LoadResult } from '../../../config/load.ts';
import { formatProblem } from '../../../config/problems/problem.ts';
import { SourceText } from '../../../config/yaml/source-text.ts';
import { buildTree } from '../../../config/yaml/tree-builder.ts';
import { parseYaml } from '../../../config/yaml/yaml-text.ts';
import { privateCertificates } from '../../support/private-certificates.ts';
import { WALL_MS } from './golden-cases.ts';

const DIRECTORY = path.resolve(import.meta.dirname, '../../../examples');
const FILES = readdirSync(DIRECTORY).filter((name) => name.endsWith('.yaml'));

/** Environment of the examples: a directory with certificates, secrets, and the ports of the demo. */
const ENVIRONMENT = {
  CERT_DIR: path.join(privateCertificates(), 'certificates'),
  STATE_DIR: os.tmpdir(),
  STICKY_SECRET: 'a secret of the tests',
  OLD_STICKY_SECRET: 'the secret before that',
  ADMIN_TOKEN: 'a-token-of-the-tests',
  ONCALL_TOKEN: 'another-token-of-the-tests',
  OTLP_TOKEN: 'a-token-of-a-receiver',
  FAIRLEAD_DEMO_APP_1: '3001',
  FAIRLEAD_DEMO_APP_2: '3002',
  FAIRLEAD_DEMO_APP_3: '3003',
  FAIRLEAD_DEMO_CANARY: '3004',
};

function loadExample(name: string): LoadResult {
  const text = readFileSync(path.join(DIRECTORY, name), 'utf8');
  return loadConfigText(text, { file: name, directory: DIRECTORY, environment: ENVIRONMENT, wallMs: WALL_MS });
}

test('there are examples', () => {
  for (const name of ['minimal.yaml', 'weighted-and-backup.yaml', 'tls.yaml', 'everything.yaml'])
    assert.ok(FILES.includes(name), name);
});

for (const name of FILES) {
  test(`${name} loads without a warning and compiles`, () => {
    const result = loadExample(name);
    const problems = result.ok ? result.warnings : result.problems;
    assert.deepEqual(problems.map(formatProblem), []);
    assert.ok(result.ok);
    const snapshot = compile(result.config, newTables({ endpoints: 64, upstreams: 8, listeners: 8 }), 1);
    assert.ok(snapshot.listeners.length > 0);
  });
}

test('everything.yaml has every key of the schema', () => {
  const source = new SourceText(readFileSync(path.join(DIRECTORY, 'everything.yaml'), 'utf8'));
  const yaml = parseYaml(source);
  assert.ok(yaml.ok);
  const given = new Set<string>();
  collect(buildTree(source, yaml.document, ENVIRONMENT).tree.root, '', given);
  const missing = knownKeys().filter(({ path: key }) => !given.has(key.replaceAll('[]', '')));
  assert.deepEqual(
    missing.map((key) => key.path),
    [],
  );
});

/** Adds the key paths of a value: list items under the path of their list, names as `*` as in the schema. */
function collect(value: unknown, prefix: string, into: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, prefix, into);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      const own = prefix === '' ? key : `${prefix}.${key}`;
      const known = isKnownKey(own) ? own : `${prefix}.*`;
      into.add(known);
      collect(item, known, into);
    }
  }
}
