// Advice for words of other programs: it names keys that exist, and states no lack of a feature that there is.
// Thread: main.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { isKnownKey, knownKeys } from '../../../../config/schema/known-keys.ts';
import { adviceForKey, KEY_ADVICE } from '../../../../config/schema/peer-words.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
/** Words of features that Fairlead doesn't have. */
const ABSENT = new Set(['cache', 'proxycache', 'caching', 'udp', 'quic', 'http3']);
const KEY_PATH = /(?:"[a-z]+"|\b[a-zA-Z]+(?:\[\])?(?:\.[A-Za-z]+(?:\[\])?)+)/g;
const PAGE = /docs\/[a-z-]+\.md/g;
/** Last parts of all key paths, as words of other programs are compared. */
const KEYS = new Set(knownKeys().map(({ path: key }) => key.split('.').at(-1)!.replace('[]', '').toLowerCase()));

/** The keys that advice names, as the schema writes their paths. */
function keysIn(advice: string): string[] {
  const paths =
    advice
      .replaceAll(PAGE, '')
      .replaceAll(/: [[{].*?[\]}]/g, '')
      .match(KEY_PATH) ?? [];
  return paths.map((key) => key.replaceAll('"', '').replace('.NAME', '.*').replace(/\[\]$/, ''));
}

describe('advice for a word of another program', () => {
  for (const [word, advice] of Object.entries(KEY_ADVICE)) {
    test(`${word}: names what there is`, () => {
      assert.equal(adviceForKey(word.toUpperCase()), advice);
      const keys = keysIn(advice);
      assert.equal(keys.length === 0, ABSENT.has(word), `keys in "${advice}"`);
      for (const key of keys) assert.ok(isKnownKey(key), `${key} is a key of the schema`);
      for (const page of advice.match(PAGE) ?? []) assert.ok(existsSync(path.join(ROOT, page)), page);
    });
  }

  test('denies no key that exists', () => {
    for (const word of ABSENT) assert.ok(!KEYS.has(word), word);
  });
});
