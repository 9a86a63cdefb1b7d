// Numbers and times as the dashboard writes them. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { age, count, millis, percent, rate, span } from '../../../../../admin/dashboard/data/format.ts';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

test('what is not known is a dash', () => {
  for (const write of [count, rate, percent, millis]) assert.equal(write(null), '–');
});

test('numbers have so many places as can be read', () => {
  assert.deepEqual([0, 12, 1234567].map(count), ['0', '12', '1,234,567']);
  assert.deepEqual([0, 0.04, 9.96, 99.9, 99.96, 12345].map(rate), ['0', '<0.1', '10.0', '99.9', '100', '12,345']);
});

test('a few errors do not look like none, and almost all look like all only when they are', () => {
  const texts = [0, 0.0001, 0.001, 0.054, 0.999, 1].map((share) => plain(percent(share)));
  assert.deepEqual(texts, ['0 %', '<0.1 %', '0.1 %', '5.4 %', '99.9 %', '100 %']);
});

test('milliseconds become seconds', () => {
  const texts = [0.42, 9.94, 9.95, 999.4, 999.5, 61_000].map((ms) => plain(millis(ms)));
  assert.deepEqual(texts, ['0.4 ms', '9.9 ms', '10 ms', '999 ms', '1.0 s', '61.0 s']);
});

test('spans have their two largest units', () => {
  const texts = [-1, 59, 60, 3_599, 3_600, 7_260, 86_400, 180_000].map((seconds) => plain(span(seconds)));
  assert.deepEqual(texts, ['0 s', '59 s', '1 min', '59 min', '1 h', '2 h 1 min', '1 d', '2 d 2 h']);
  assert.equal(plain(age('2026-01-01T00:00:00.000Z', Date.UTC(2026, 0, 1, 0, 0, 9))), '9 s');
});
