// Plain YAML reader: where it returns a tree, values, places and line starts are those of the full parser. Thread: main.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Container, Places } from '../../../../config/yaml/places.ts';
import { readPlainYaml } from '../../../../config/yaml/plain-yaml.ts';
import { SourceText } from '../../../../config/yaml/source-text.ts';
import { isContainer, type SourceTree } from '../../../../config/yaml/source-tree.ts';
import { buildTree } from '../../../../config/yaml/tree-builder.ts';
import { parseYaml } from '../../../../config/yaml/yaml-text.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const ENVIRONMENT = { PORT: '8080', EMPTY: '' };

/** Whether the plain reader reads a text. Asserts that it reads what the full parser reads. */
function readsAlike(text: string): boolean {
  const source = new SourceText(text, 'a.yaml');
  const plain = readPlainYaml(source, ENVIRONMENT, new Places());
  if (plain === null) return false;
  const full = new SourceText(text, 'a.yaml');
  const yaml = parseYaml(full);
  assert.ok(yaml.ok, `the full parser refuses ${JSON.stringify(text)}`);
  const { tree, findings } = buildTree(full, yaml.document, ENVIRONMENT);
  assert.deepEqual(findings, []);
  assert.deepEqual(plain.root, tree.root, text);
  assert.deepEqual(Object.keys(plain.root as object), Object.keys(tree.root as object));
  assert.deepEqual(placesIn(plain), placesIn(tree), text);
  assert.deepEqual(source.lines.lineStarts, full.lines.lineStarts, text);
  assert.equal(plain.hasVariables, tree.hasVariables);
  return true;
}

/** Places of all entries, and whether they are variables. Of a collection of several lines, its first line counts. */
function placesIn(tree: SourceTree): unknown[] {
  const found: unknown[] = [];
  const visit = (container: Container, at: readonly (string | number)[]): void => {
    for (const key of Array.isArray(container) ? container.keys() : Object.keys(container)) {
      const value: unknown = (container as Record<string | number, unknown>)[key];
      const place = tree.places.of(container, key)!;
      const { source } = place;
      const isText = !isContainer(value) || /^[[{]/.test(source.text.slice(place.value[0]));
      found.push([...at, key], place.key[0], source.spanOf(place.key), source.spanOf(place.value), place.value[0]);
      if (isText) found.push(place.key, place.value);
      found.push(tree.isVariable(container, key));
      if (isContainer(value)) visit(value, [...at, key]);
    }
  };
  visit(tree.root as Container, []);
  return found;
}

const PLAIN = `# A configuration
workers: 2
listeners: [{ name: web, bind: "127.0.0.1:80" }]   # one line
routes:
- match: { host: a.example.com, path: /app }
  upstream: app
- upstream: 'app'

  match:
    # of a path
    host: [ "a", b ]
upstreams:
  app:
    endpoints:
      - http://127.0.0.1:1   # first
      -
        url: http://127.0.0.1:\${PORT}
        weight: 1.50
    flags: [ true, null, ~, -3, +4, .5, 007, No, 1.2.3, 12:30, "7", {}, [] ]
`;

test('reads mappings, lists, flow collections, comments and scalars on one line', () => {
  assert.ok(readsAlike(PLAIN));
  assert.ok(readsAlike(PLAIN.trimEnd()));
  assert.ok(readsAlike(`\n\n${PLAIN}\n\n  # end\n   `));
});

const UNUSUAL: readonly (readonly [name: string, text: string])[] = [
  ['an empty file', '# nothing\n'],
  ['a list', '- a: 1\n'],
  ['a scalar', 'text\n'],
  ['an empty value', 'a:\nb: 1\n'],
  ['an anchor', 'a: &x 1\nb: *x\n'],
  ['a tag', 'a: !!str 1\n'],
  ['a block scalar', 'a: |\n  text\n'],
  ['a scalar of several lines', 'a: one\n  two\n'],
  ['a flow collection of several lines', 'a: [1,\n  2]\n'],
  ['an escape', 'a: "\\n"\n'],
  ['a doubled quote', "a: 'it''s'\n"],
  ['a hexadecimal number', 'a: 0x1F\n'],
  ['an exponent', 'a: 1e3\n'],
  ['infinity', 'a: .inf\n'],
  ['a merge key', 'a: { <<: { b: 1 } }\n'],
  ['an extension', 'x-a: 1\nb: 1\n'],
  ['a duplicate key', 'a: 1\na: 2\n'],
  ['a key that is null', 'a: { ~: 1 }\n'],
  ['__proto__', '__proto__: 1\n'],
  ['a variable that is not set', 'a: ${NOT_SET}\n'],
  ['a tab', 'a:\t1\n'],
  ['CR LF', 'a: 1\r\n'],
  ['a second document', 'a: 1\n---\nb: 1\n'],
  ['a directive', '%YAML 1.2\n---\na: 1\n'],
  ['a byte order mark', '\ufeffa: 1\n'],
  ['a list in a list', 'a:\n  - - 1\n'],
  ['a pair in a list', 'a: [b: 1]\n'],
  ['two keys on a line', 'a: b: 1\n'],
  ['a wrong indentation', 'a:\n    b: 1\n  c: 1\n'],
  ['an unclosed quote', 'a: "b\n'],
  ['an unclosed bracket', 'a: [b\n'],
  ['text behind a value', 'a: "b" c\n'],
  ['an empty item', 'a:\n  -\n'],
  ['an empty entry', 'a: [b,,c]\n'],
  ['deep nesting', `a: ${'['.repeat(60)}${']'.repeat(60)}\n`],
];

for (const [name, text] of UNUSUAL) {
  test(`leaves ${name} to the full parser`, () => assert.ok(!readsAlike(text)));
}

test('reads the examples and the YAML of the documentation as the full parser does', () => {
  const files = globSync(['examples/**/*.yaml', 'docs/**/*.md', 'README.md'], { cwd: ROOT });
  const texts = files.flatMap((file) => {
    const text = readFileSync(path.join(ROOT, file), 'utf8');
    if (!file.endsWith('.md')) return [text];
    return [...text.matchAll(/^( *)```yaml\n([\s\S]*?)^ *```/gm)].map(([, indent = '', code = '']) =>
      code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    );
  });
  const read = texts.filter(readsAlike);
  assert.ok(texts.length > 100 && read.length > texts.length / 2, `${read.length} of ${texts.length}`);
});

const PIECES = [
  ...'-:,[]{}"\'#|>?!%@~1.$\\\t`=aé'.split(''),
  ...' ,  ,\n,\n  ,- ,: ,? , #,${PORT},-1,e5,0x,&a,*a,<<,null,😀'.split(','),
];

test('reads texts with random changes as the full parser does, or not at all', () => {
  const piece = fc.constantFrom(...PIECES);
  const change = fc.record({ at: fc.nat(PLAIN.length), drop: fc.nat(6), piece });
  let read = 0;
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      let text = PLAIN;
      for (const { at, drop, piece: added } of changes) text = text.slice(0, at) + added + text.slice(at + drop);
      if (readsAlike(text)) read++;
    }),
    { numRuns: 400 },
  );
  assert.ok(read > 40, `${read} of 400 were read`);
});
