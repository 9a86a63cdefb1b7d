// Parsing of values in braces: unknown names, names that are not known at a place, faults of the literal text.
// Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseTemplate, type TemplateFault } from '../../../config/values/template-text.ts';
import type { TemplateForm } from '../../../core/template.ts';
import type { TemplatePlace } from '../../../core/template-values.ts';

function faultsOf(text: string, place: TemplatePlace = 'request', form: TemplateForm = 'field'): TemplateFault[] {
  const outcome = parseTemplate(text, { form, place, environment: { WORD: 'abc', LINES: 'a\nb' } });
  return outcome.ok ? [] : [...outcome.faults];
}

describe('an unknown name', () => {
  const cases = [
    ['a {hots}', '{hots}', '{host}'],
    ['{clientaddress}', '{clientaddress}', '{clientAddress}'],
    ['{remote_addr}', '{remote_addr}', '{clientAddress}'],
    ['{http.request.header.X-A}', '{http.request.header.X-A}', '{header.x-a}'],
    ['{tls_version}', '{tls_version}', '{tls.version}'],
    ['$host', '$host', '{hostname}'],
    ['x $http_x_team', '$http_x_team', '{header.x-team}'],
    ['%[src]', '%[src]', '{clientAddress}'],
    ['%[req.cook(lb)]', '%[req.cook(lb)]', '{cookie.lb}'],
  ] as const;
  for (const [text, mark, suggestion] of cases) {
    test(`${text} is refused and suggests ${suggestion}`, () => {
      const [fault, ...others] = faultsOf(text);
      assert.deepEqual([fault?.mark, fault?.suggestion, others], [mark, suggestion, []]);
      assert.equal(text.slice(fault!.at, fault!.at + mark.length), mark);
    });
  }

  test('is reported for each one', () => {
    assert.deepEqual(
      faultsOf('{one}{host}{two}').map(({ at, mark }) => [at, mark]),
      [
        [0, '{one}'],
        [11, '{two}'],
      ],
    );
    assert.match(
      faultsOf('{zzzzzz}')[0]!.message,
      /or one of scheme, host, .*, header\.NAME, cookie\.NAME, env\.NAME$/,
    );
  });
});

describe('a place', () => {
  const cases: readonly (readonly [string, TemplatePlace, boolean])[] = [
    ['{endpoint}', 'answer', false],
    ['{endpoint}', 'request', false],
    ['{endpoint}', 'attempt', true],
    ['{upstream}', 'answer', false],
    ['{upstream}', 'request', true],
    ['{status}', 'attempt', false],
    ['{status}', 'reply', true],
    ['{host}{header.a}{cookie.b}', 'answer', true],
  ];
  for (const [text, place, isKnown] of cases) {
    test(`${place} ${isKnown ? 'knows' : 'does not know'} ${text}`, () => {
      assert.deepEqual(
        faultsOf(text, place).map(({ code }) => code),
        isKnown ? [] : ['FL2008'],
      );
    });
  }
});

test('names without an argument, single closing braces and unset variables are refused', () => {
  assert.match(faultsOf('{header.}')[0]!.message, /has no name: write \{header\.x-version\}/);
  assert.match(faultsOf('{{host}')[0]!.message, /one closing brace: write \{\{host\}\} for the text \{host\}/);
  assert.deepEqual(
    faultsOf('{env.NONE}').map(({ code, mark }) => [code, mark]),
    [['FL1201', '{env.NONE}']],
  );
  assert.deepEqual(faultsOf('{env.WORD}'), []);
  assert.match(faultsOf('{env.LINES}')[0]!.message, /line breaks/);
  assert.deepEqual(faultsOf('{env.LINES}', 'request', 'text'), []);
});

test('the literal text of a field has no line breaks, control characters and outer spaces', () => {
  for (const text of ['a\r\nb', 'a\0', ' a', 'a ', 'a\u0100']) {
    assert.match(faultsOf(text)[0]!.message, /is not a valid field value/);
    assert.deepEqual(faultsOf(text, 'request', 'text'), []);
  }
});
