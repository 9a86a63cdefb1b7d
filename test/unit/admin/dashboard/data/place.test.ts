// Places in the page as fragments of its address. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_COLUMNS } from '../../../../../admin/dashboard/data/columns.ts';
import { fragmentOf, placeOf } from '../../../../../admin/dashboard/data/place.ts';

test('a place is read back from its fragment, and the start has none', () => {
  assert.equal(fragmentOf(placeOf('')), '');
  for (const fragment of [
    '#/routes',
    '#/endpoints?find=a+b%26c&state=problem&upstream=api',
    '#/endpoints?sort=-p99&group=upstream&endpoint=api%2F%5B%3A%3A1%5D%3A80&columns=rate%2Csent',
  ])
    assert.equal(fragmentOf(placeOf(fragment)), fragment);
});

test('parts that are not valid are ignored', () => {
  const place = placeOf('#/elsewhere?state=odd&sort=-toString&columns=rate,constructor');
  assert.deepEqual([place.view, place.filter.state, place.order.column], ['overview', '', 'state']);
  assert.deepEqual(place.columns, ['rate']);
  assert.equal(placeOf('#/endpoints').columns, DEFAULT_COLUMNS);
});
