// The ejection limit: the cap for small upstreams, and what counts against it. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { availabilityOf, type EndpointAxes } from '../../../../core/availability.ts';
import { ejectionCap, isEjectionAllowed, takeCensus } from '../../../../health/outlier/ejection-limit.ts';

const UP: EndpointAxes = { admin: 'ready', check: 'up', outlier: 'none', resolution: 'resolved' };
const DOWN: EndpointAxes = { ...UP, check: 'down' };
const EJECTED: EndpointAxes = { ...UP, outlier: 'ejected' };
const HALF_OPEN: EndpointAxes = { ...UP, outlier: 'halfOpen' };
const SUSPECT: EndpointAxes = { ...UP, outlier: 'suspect' };
const DRAIN: EndpointAxes = { ...UP, admin: 'drain' };
const MAINTENANCE: EndpointAxes = { ...UP, admin: 'maintenance' };

function censusOf(...axes: EndpointAxes[]) {
  return takeCensus(axes.map((one) => ({ axes: one, availability: availabilityOf(one) })));
}

describe('ejectionCap', () => {
  const rows: readonly (readonly [percent: number, caps: readonly number[]])[] = [
    [50, [0, 1, 2, 2, 3, 3, 4, 4, 5, 5]],
    [10, [0, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
    [34, [0, 1, 2, 2, 2, 3, 3, 3, 4, 4]],
    [100, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    [0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
  ];
  for (const [percent, caps] of rows) {
    test(`at ${percent} % of 1 to 10 endpoints is ${caps.join(', ')}`, () => {
      assert.deepEqual(
        caps.map((_, index) => ejectionCap(index + 1, percent)),
        caps,
      );
    });
  }
});

describe('the census', () => {
  test('counts failed checks, ejections and half-open ones together as out', () => {
    assert.deepEqual(censusOf(UP, DOWN, EJECTED, HALF_OPEN, SUSPECT), { members: 5, out: 3, usable: 2 });
  });

  test('leaves out endpoints that the operator took out of service', () => {
    assert.deepEqual(censusOf(UP, DRAIN, MAINTENANCE, { ...UP, resolution: 'unresolved' }), {
      members: 1,
      out: 0,
      usable: 1,
    });
  });

  test('counts an endpoint that is down and ejected once', () => {
    assert.equal(censusOf({ ...DOWN, outlier: 'ejected' }, UP).out, 1);
  });
});

describe('isEjectionAllowed', () => {
  const rows: readonly (readonly [title: string, census: ReturnType<typeof censusOf>, isAllowed: boolean])[] = [
    ['one of one: it is the last', censusOf(UP), false],
    ['one of two', censusOf(UP, UP), true],
    ['the second of two', censusOf(UP, EJECTED), false],
    ['the second of three', censusOf(UP, UP, EJECTED), true],
    ['the second of three, the first being down', censusOf(UP, UP, DOWN), true],
    ['the third of three', censusOf(UP, EJECTED, DOWN), false],
    ['the third of four: beyond half, though two are usable', censusOf(UP, UP, EJECTED, DOWN), false],
    ['one of two, the other being drained', censusOf(UP, DRAIN), false],
    ['one of two, the other being suspect', censusOf(UP, SUSPECT), true],
    ['one of two, the other being half-open', censusOf(UP, HALF_OPEN), false],
    ['one of three, one of them in maintenance', censusOf(UP, UP, MAINTENANCE), true],
  ];
  for (const [title, census, isAllowed] of rows) {
    test(`${title}: ${isAllowed ? 'allowed' : 'not allowed'}`, () => {
      assert.equal(isEjectionAllowed(census, 50), isAllowed);
    });
  }

  test('with 0 % none is', () => {
    assert.equal(isEjectionAllowed(censusOf(UP, UP, UP), 0), false);
  });

  test('whatever the share, another member stays usable', () => {
    const all = [UP, DOWN, EJECTED, HALF_OPEN, SUSPECT, DRAIN, MAINTENANCE];
    for (const first of all) {
      for (const second of all) {
        for (const third of all) {
          const census = censusOf(UP, first, second, third);
          if (isEjectionAllowed(census, 100)) assert.ok(census.usable >= 2);
        }
      }
    }
  });
});
