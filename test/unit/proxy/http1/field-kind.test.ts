// Recognising fields by the bytes of their names. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  FIELD_KIND_COUNT,
  FIELD_NAMES,
  FieldKind,
  HOP_BY_HOP_KINDS,
  kindOfName,
  kindSet,
  recogniseField,
} from '../../../../proxy/http1/field-kind.ts';

function kindOf(name: string): number {
  const bytes = Buffer.from(`<${name}>`, 'latin1');
  return recogniseField(bytes, 1, bytes.length - 1);
}

const NAMED = [...FIELD_NAMES.entries()].filter(([, name]) => name !== '');

describe('field kinds', () => {
  test('every kind but two has a name that matches its constant', () => {
    assert.equal(FIELD_NAMES.length, FIELD_KIND_COUNT);
    for (const [key, kind] of Object.entries(FieldKind)) {
      if (kind === FieldKind.OTHER || kind === FieldKind.X_FORWARDED_OTHER) continue;
      assert.equal(FIELD_NAMES[kind], key.toLowerCase().replaceAll('_', '-'));
    }
  });

  test('a name is recognised in lower, upper and mixed case', () => {
    for (const [kind, name] of NAMED) {
      const mixed = name.replace(/./g, (letter, at) => (at % 2 === 0 ? letter.toUpperCase() : letter));
      for (const form of [name, name.toUpperCase(), mixed]) assert.equal(kindOf(form), kind, form);
    }
  });

  test('a name that differs in one byte, or is longer or shorter, is another field', () => {
    for (const [kind, name] of NAMED) {
      for (let at = 0; at < name.length; at += 1) {
        const changed = `${name.slice(0, at)}#${name.slice(at + 1)}`;
        assert.notEqual(kindOf(changed), kind, changed);
      }
      assert.notEqual(kindOf(`${name}s`), kind);
      assert.notEqual(kindOf(`x${name}`), kind);
      if (name.length > 1) assert.notEqual(kindOf(name.slice(0, -1)), kind);
    }
  });

  test('a byte that equals "-" with the case bit is not accepted for it', () => {
    assert.equal(kindOf('content_length'), FieldKind.OTHER);
    assert.equal(kindOf('transfer_encoding'), FieldKind.OTHER);
    assert.equal(kindOf('transfer-%45ncoding'), FieldKind.OTHER);
  });

  test('all names with the prefix X-Forwarded- are recognised, the bare prefix is not', () => {
    assert.equal(kindOf('X-Forwarded-Prefix'), FieldKind.X_FORWARDED_OTHER);
    assert.equal(kindOf('x-forwarded-a'), FieldKind.X_FORWARDED_OTHER);
    for (let length = 1; length < 30; length += 1) {
      assert.equal(kindOf(`x-forwarded-${'a'.repeat(length)}`), FieldKind.X_FORWARDED_OTHER);
    }
    assert.equal(kindOf('x-forwarded-'), FieldKind.OTHER);
    assert.equal(kindOf('x-forwarded'), FieldKind.OTHER);
    assert.equal(kindOf(`x-${'a'.repeat(60)}`), FieldKind.OTHER);
  });

  test('kindOfName agrees with the bytes', () => {
    const names = [...FIELD_NAMES.filter((name) => name !== ''), 'x-forwarded-prefix', 'x-forwarded-', 'accept', 'x-a'];
    for (const name of names) assert.equal(kindOfName(name), kindOf(name), name);
  });

  test('sets contain their kinds and never OTHER', () => {
    const set = kindSet(FieldKind.OTHER, FieldKind.HOST, FieldKind.MAX_FORWARDS);
    assert.equal(set & 1, 0);
    assert.ok(set > 0, 'the highest kind does not reach the sign bit');
    assert.equal((set >>> FieldKind.HOST) & 1, 1);
    assert.equal((HOP_BY_HOP_KINDS >>> FieldKind.CONTENT_LENGTH) & 1, 0);
  });
});
