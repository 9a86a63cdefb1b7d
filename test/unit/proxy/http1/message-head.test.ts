// A scanned head: fields by kind and name, as text, as a list. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FieldKind, kindSet } from '../../../../proxy/http1/field-kind.ts';
import { requestWith } from '../../../support/http1-scan.ts';

describe('a message head', () => {
  test('finds a field by its lower-case name, whatever its case', () => {
    const head = requestWith('ACCEPT: b', 'X-Accept: c', 'Accep: d');
    assert.equal(head.field('accept'), 'b');
    assert.equal(head.field('x-accept'), 'c');
    assert.equal(head.field('host'), 'a');
    assert.equal(head.field('accept-language'), undefined);
    assert.equal(head.field('date'), undefined);
  });

  test('joins the lines of a field by comma, those of Cookie by semicolon', () => {
    const head = requestWith('Via: 1.1 a', 'X-A: 1', 'Cookie: a=b', 'VIA: 1.1 b', 'cookie: c=d', 'x-a: 2');
    assert.equal(head.field('via'), '1.1 a, 1.1 b');
    assert.equal(head.field('cookie'), 'a=b; c=d');
    assert.equal(head.field('x-a'), '1, 2');
  });

  test('finds the fields of a name one by one', () => {
    const head = requestWith('X-A: 1', 'X-B: 2', 'x-a: 3', 'Date: 4');
    assert.equal(head.indexOf('x-a'), 1);
    assert.equal(head.indexOf('x-a', 2), 3);
    assert.equal(head.indexOf('x-a', 4), -1);
    assert.equal(head.indexOf('date'), 4);
    assert.equal(head.indexOf('server'), -1);
  });

  test('distinguishes fields with the prefix X-Forwarded- by their names', () => {
    const head = requestWith('X-Forwarded-Prefix: /p', 'X-Forwarded-Ssl: on');
    assert.equal(head.field('x-forwarded-ssl'), 'on');
    assert.equal(head.field('x-forwarded-server'), undefined);
  });

  test('compares names and values ignoring case, without making strings', () => {
    const head = requestWith('X-A: CHUNKED', 'X-B: a@b[');
    assert.equal(head.nameEquals(1, 'x-a'), true);
    assert.equal(head.nameEquals(1, 'x-ab'), false);
    assert.equal(head.valueEquals(1, 'chunked'), true);
    assert.equal(head.valueEquals(1, 'chunke'), false);
    assert.equal(head.valueEquals(1, 'chunkex'), false);
    // "`" and "{" are "@" and "[" with the case bit: they are not letters.
    assert.equal(head.valueEquals(2, 'a`b{'), false);
    assert.equal(head.valueEquals(2, 'a@b['), true);
  });

  test('reports the kinds of a set that occur', () => {
    const head = requestWith('TE: trailers', 'Expect: 100-continue');
    assert.equal(head.hasAny(kindSet(FieldKind.UPGRADE, FieldKind.EXPECT)), true);
    assert.equal(head.hasAny(kindSet(FieldKind.UPGRADE, FieldKind.CONNECTION)), false);
    assert.equal(head.has(FieldKind.TE), true);
  });

  test('lists fields that are neither cut nor of an excluded kind', () => {
    const head = requestWith('X-A: 1', 'TE: trailers', 'x-a: 2', 'X-B: 3');
    head.cutNamed('x-a');
    head.cut(4);
    assert.deepEqual(head.fieldList(kindSet(FieldKind.TE)), ['Host', 'a']);
    assert.deepEqual(head.fieldList(0), ['Host', 'a', 'TE', 'trailers']);
    assert.equal(head.kindAt(4), FieldKind.OTHER, 'a cut field keeps its kind');
    assert.equal(head.field('x-a'), '1, 2', 'a cut field can still be read');
  });

  test('keeps names unchanged', () => {
    assert.equal(requestWith('x-FoO: 1').nameText(1), 'x-FoO');
  });
});
