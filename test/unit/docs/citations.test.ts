// Citations in comments and pages: a numbered section of docs/ that is cited exists, and nothing cites a document that is
// not part of the repository. Thread: main.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { listSourcePaths } from '../../../scripts/checks/source-files.ts';
import { allPages } from './pages.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const SELF = 'test/unit/docs/citations.test.ts';

/** `docs/design.md 1.5`, `docs/algorithms.md 3.4 and 3.5`, `docs/algorithms.md 2.1, 2.2`; comment markers may intervene. */
const CITATION = /\bdocs\/([\w-]+\.md)[\s*/]+(\d+(?:\.\d+)?[a-z]?(?:(?:, | and )\d+\.\d+)*)/g;
/** Documents that only the authors have. */
const FOREIGN =
  /\b(?:DESIGN|ALGORITHMS|LAYOUT|STYLE|FIELD)(?:\.md)?(?: sections?)? \d|\bissue \d+\b|\.\.\/shared\b(?!\/h1)/;

interface Text {
  readonly name: string;
  readonly text: string;
}

const TEXTS: readonly Text[] = [
  ...listSourcePaths(ROOT).map((name) => ({ name, text: readFileSync(path.join(ROOT, name), 'utf8') })),
  ...allPages().map(({ name }) => ({ name, text: readFileSync(path.join(ROOT, name), 'utf8') })),
].filter(({ name }) => name !== SELF);

/** The numbers of the headings of a page: `## 1. Threads`, `### 1.5 Balancers`. */
function sectionsOf(page: string): ReadonlySet<string> {
  const text = readFileSync(path.join(ROOT, 'docs', page), 'utf8');
  return new Set([...text.matchAll(/^#{2,3} (\d+(?:\.\d+)?)/gm)].map((match) => match[1]!));
}

function citationsOf({
  name,
  text,
}: Text): { readonly where: string; readonly page: string; readonly section: string }[] {
  return [...text.matchAll(CITATION)].flatMap((match) => {
    const where = `${name}:${text.slice(0, match.index).split('\n').length}`;
    return match[2]!
      .split(/, | and /)
      .map((section) => ({ where, page: match[1]!, section: section.replace(/[a-z]$/, '') }));
  });
}

describe('a cited section', () => {
  const citations = TEXTS.flatMap(citationsOf);

  test('is found in many places', () => assert.ok(citations.length >= 50, `${citations.length} citations`));

  test('exists', () => {
    const sections = new Map<string, ReadonlySet<string>>();
    const unresolved = citations.filter(({ page, section }) => {
      if (!sections.has(page)) sections.set(page, sectionsOf(page));
      return !sections.get(page)!.has(section);
    });
    assert.deepEqual(
      unresolved.map(({ where, page, section }) => `${where}: docs/${page} has no section ${section}`),
      [],
    );
  });
});

test('no source and no page cites a document that is not part of the repository', () => {
  const found = TEXTS.flatMap(({ name, text }) =>
    text.split('\n').flatMap((line, index) => (FOREIGN.test(line) ? [`${name}:${index + 1}: ${line.trim()}`] : [])),
  );
  assert.deepEqual(found, []);
});
