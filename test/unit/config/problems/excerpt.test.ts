// Source excerpts: the caret stands under its mark, and secrets are masked. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { caretLine, columnsOf, excerptOf } from '../../../../config/problems/excerpt.ts';
import { PLAIN, renderProblem } from '../../../../config/problems/problem-text.ts';
import { load } from '../golden-cases.ts';

/** The text above the carets, by columns. */
function marked(line: string, mark: string): string {
  const column = line.indexOf(mark) + 1;
  const excerpt = excerptOf(line, { line: 1, column, length: mark.length }, []);
  const carets = caretLine(excerpt);
  const begin = columnsOf(carets.slice(0, carets.indexOf('^')));
  const end = begin + carets.length - carets.indexOf('^');
  let at = 0;
  let text = '';
  for (const character of excerpt.text) {
    if (at >= begin && at < end) text += character;
    at += columnsOf(character);
  }
  return text;
}

describe('the caret stands under its mark', () => {
  const lines = {
    'in plain text': ['  key: value # words', 'value'],
    'behind a tab': ['\tkey:\tvalue', 'value'],
    'behind wide characters': ['  漢字: { 値: value }', 'value'],
    'under wide characters': ['  key: 漢字', '漢字'],
    'behind an emoji of two halves': ['  "😀": value', 'value'],
    'behind combining marks': ['  e\u0301a\u0308: value', 'value'],
    'far into a long line': [`k: [${'x, '.repeat(200)}value, ${'y, '.repeat(200)}]`, 'value'],
    'at the end of a long line': [`k: [${'x, '.repeat(200)}value`, 'value'],
    'in a line of a megabyte': [`k: [${'x, '.repeat(200_000)}value, ${'y, '.repeat(200_000)}]`, 'value'],
    'in a long line of wide characters': [`k: ${'漢'.repeat(300)} value ${'字'.repeat(300)}`, 'value'],
    'in a long line of emoji': [`k: ${'😀'.repeat(3000)} value ${'😀'.repeat(3000)}`, 'value'],
  } as const;
  for (const [name, [line, mark]] of Object.entries(lines)) {
    test(name, () => assert.equal(marked(line, mark), mark));
  }

  test('after its last character too', () => {
    const excerpt = excerptOf('key:', { line: 1, column: 5, length: 1 }, []);
    assert.equal(caretLine(excerpt), '    ^');
  });
});

test('an excerpt is at most 106 columns wide and shows where it was truncated', () => {
  for (const character of ['x', '漢', '😀', '\t']) {
    const line = character.repeat(4000);
    const { text } = excerptOf(line, { line: 1, column: 2001, length: 2000 }, []);
    assert.ok(columnsOf(text) <= 106, `${columnsOf(text)} columns`);
    assert.match(text, /^\.\.\.[^.]+\.\.\.$/);
  }
});

test('no control character reaches the terminal', () => {
  const line = 'a: "\u001b[2J\u0007\u009b1m\u202Eevil\u2066"';
  assert.equal(excerptOf(line, { line: 1, column: 1, length: 1 }, []).text, 'a: "�[2J��1m�evil�"');
});

describe('a secret is masked', () => {
  const texts = {
    'of its key': 'sticky: { cookie: lb, secret: abcdefgh, secure: never }',
    'of its key mistyped': 'sticky: { cookie: lb, secert: abcdefgh, secure: never }',
    'in quotes': 'sticky: { cookie: lb, "secret": "abcdefgh", secure: never }',
    'in a list': 'sticky: { cookie: lb, secrets: [abcdefgh, "abcdefgh"], secure: never }',
    'in a list that is not closed': 'sticky: { cookie: lb, secure: never, secrets: [abcdefgh',
    'under a name of the user': 'x-my-password: abcdefgh # secure: never',
  };
  for (const [name, line] of Object.entries(texts)) {
    test(name, () => {
      const { text } = excerptOf(line, { line: 1, column: 1, length: 1 }, []);
      assert.equal(text.length, line.length);
      assert.doesNotMatch(text, /abcd/);
      assert.match(text, /\*{8}/);
    });
  }

  test('on a line of its own', () => {
    for (const before of [['  secrets:'], ['    - other', '  secrets:'], ['  secret: >']]) {
      const { text } = excerptOf('    - abcdefgh', { line: 2, column: 1, length: 1 }, before);
      assert.equal(text, '    - ********');
    }
    const innocent = excerptOf('    - http://a', { line: 2, column: 1, length: 1 }, ['  endpoints:', 'secret: x']);
    assert.equal(innocent.text, '    - http://a');
  });

  test('but variables and other values are not', () => {
    for (const line of ['sticky: { secret: "${STICKY_SECRET}" }', 'sticky: { secure: never }', 'tls: { key: a.pem }'])
      assert.equal(excerptOf(line, { line: 1, column: 1, length: 1 }, []).text, line);
  });

  test('in messages of every kind', () => {
    const secret = 'correct horse battery';
    const texts = [
      `upstreams: { a: { sticky: { cookie: lb, secret: ${secret} `,
      `upstreams: { a: { sticky: { coockie: lb, secrets: ["${secret}"], secret: '${secret}' } } }`,
      `upstreams:\n  a:\n    sticky:\n      secrets:\n        - ${secret}\n        -\t- ${secret}\n`,
      `upstreams:\n  a:\n    sticky:\n      secret: "${secret}\n`,
    ];
    for (const text of texts) {
      const result = load(text);
      assert.ok(!result.ok);
      for (const problem of result.problems) assert.ok(!renderProblem(problem, PLAIN).includes('horse'), text);
    }
  });
});
