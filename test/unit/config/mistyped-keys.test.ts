// Every key of the example of docs/design.md and of the example files, misspelt in each common way, gets the right suggestion.
// Thread: main.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { isMap, isScalar, visit } from 'yaml';
import { loadConfigText } from '../../../config/load.ts';
import { SourceText } from '../../../config/yaml/source-text.ts';
import { parseYaml } from '../../../config/yaml/yaml-text.ts';
import { privateCertificates } from '../../support/private-certificates.ts';
import { shortOrLong } from '../../support/test-length.ts';
import { DESIGN_EXAMPLE } from './design-example.ts';
import { WALL_MS } from './golden-cases.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const CERTIFICATES = privateCertificates();
const ENVIRONMENT = {
  CERT_DIR: path.join(CERTIFICATES, 'certificates'),
  STATE_DIR: os.tmpdir(),
  STICKY_SECRET: 'a secret of the tests',
};

/** Of the typing errors of a key, every third in the short version. */
const EACH = shortOrLong(3, 1);
const IS_LONG = EACH === 1;

/** Mappings whose keys are user-defined names or header fields. */
const OWN_NAMES = new Set(['upstreams', 'header', 'headers', 'query', 'set']);

/** Kinds of typing errors. */
const TYPOS: Readonly<Record<string, (word: string) => readonly string[]>> = {
  'a letter missing': (word) => each(word, (at) => word.slice(0, at) + word.slice(at + 1)),
  'a letter doubled': (word) => each(word, (at) => word.slice(0, at + 1) + word.slice(at)),
  'two letters swapped': (word) =>
    each(word.slice(1), (at) => word.slice(0, at) + word[at + 1]! + word[at]! + word.slice(at + 2)),
  'a wrong letter': (word) => each(word, (at) => `${word.slice(0, at)}x${word.slice(at + 1)}`),
  'another case': (word) => [word.toUpperCase(), word.toLowerCase(), word[0]!.toUpperCase() + word.slice(1)],
  'kebab, snake and spaced': (word) =>
    ['-', '_', ' '].map((sign) => word.replaceAll(/[A-Z]/g, (letter) => sign + letter.toLowerCase())),
};

function each(word: string, make: (at: number) => string): string[] {
  return Array.from(word, (_, at) => make(at));
}

const KINDS = Object.keys(TYPOS).length;

interface KeyPlace {
  readonly word: string;
  readonly begin: number;
  /** All keys of its mapping. */
  readonly siblings: readonly string[];
}

/** The schema keys in a text, with their locations. */
function keysOf(text: string): KeyPlace[] {
  const yaml = parseYaml(new SourceText(text));
  assert.ok(yaml.ok);
  const places: KeyPlace[] = [];
  visit(yaml.document, {
    Pair(_, pair, ancestors) {
      const map = ancestors.at(-1);
      const outer = ancestors.findLast((node) => node !== map && 'key' in node);
      const outerKey = outer !== undefined && 'key' in outer && isScalar(outer.key) ? String(outer.key.value) : '';
      if (!isScalar(pair.key) || !isMap(map) || OWN_NAMES.has(outerKey)) return;
      const word = String(pair.key.value);
      if (word === '<<' || word.startsWith('x-')) return;
      const siblings = map.items.map((item) => (isScalar(item.key) ? String(item.key.value) : ''));
      places.push({ word, begin: pair.key.range![0], siblings });
    },
  });
  return places;
}

describe("docs/design.md's example", () => {
  const keys = keysOf(DESIGN_EXAMPLE);
  test('has keys to misspell', () => {
    assert.ok(keys.length >= 30, `${keys.length} keys`);
    assert.ok(keys.some(({ word }) => word === 'boundedLoad' || word === 'heartbeat'));
  });

  for (const [kind, typosOf] of Object.entries(TYPOS)) {
    test(`gets suggestions with ${kind} in any key`, () => {
      for (const [index, key] of keys.entries()) {
        const typos = typosOf(key.word).filter((_, at) => (at + index) % EACH === 0);
        for (const typo of typos) assertSuggested(DESIGN_EXAMPLE, key, typo);
      }
    });
  }
});

/** Checks that a misspelt key is reported at its location with the right suggestion. */
function assertSuggested(text: string, { word, begin, siblings }: KeyPlace, typo: string): void {
  if (typo === word || typo === '' || siblings.includes(typo)) return;
  const broken = text.slice(0, begin) + typo + text.slice(begin + word.length);
  const origin = { file: 'f', directory: CERTIFICATES, environment: ENVIRONMENT, wallMs: WALL_MS };
  const result = loadConfigText(broken, origin);
  const { line, column } = placeAt(text, begin);
  const said = JSON.stringify({ word, typo, line, problems: result.ok ? [] : result.problems.slice(0, 3) });
  assert.ok(!result.ok, said);
  const problem = result.problems.find(({ span }) => span.line === line && span.column === column);
  assert.ok(problem !== undefined, said);
  assert.equal(problem.suggestion, word, said);
  assert.match(problem.message, new RegExp(`did you mean "${word}"\\?`), said);
}

function placeAt(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: before.at(-1)!.length + 1 };
}

/** Longer files get one typing error per key: its kind changes from key to key, and is each kind in the long version. */
const DIRECTORY = path.join(ROOT, 'examples');
for (const name of readdirSync(DIRECTORY).filter((file) => file.endsWith('.yaml') && file !== 'everything.yaml')) {
  test(`examples/${name} gets suggestions for any misspelt key`, () => {
    const text = readFileSync(path.join(DIRECTORY, name), 'utf8');
    for (const [index, key] of keysOf(text).entries()) {
      const kinds = Object.values(TYPOS).filter((_, kind) => IS_LONG || kind === index % KINDS);
      for (const typosOf of kinds) {
        const typos = typosOf(key.word);
        assertSuggested(text, key, typos[Math.floor(typos.length / 2)]!);
      }
    }
  });
}
