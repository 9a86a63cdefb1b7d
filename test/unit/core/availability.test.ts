// Availability: every combination of the four axes against the table. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ADMIN,
  AVAILABILITY,
  AVAILABILITY_NAMES,
  availabilityOf,
  CHECK,
  OUTLIER,
  RESOLUTION,
  type Admin,
  type Availability,
  type Check,
  type Outlier,
  type Resolution,
} from '../../../core/availability.ts';

interface Row {
  readonly admin?: Admin;
  readonly resolution?: Resolution;
  readonly check?: Check;
  readonly outlier?: Outlier;
  readonly availability: Availability;
  /** Number of combinations that this row decides, without those of earlier rows. */
  readonly count: number;
}

/** The table of docs/design.md 4; the first matching row wins; an axis that isn't named matches any value. */
const ROWS: readonly Row[] = [
  { admin: 'maintenance', availability: 'maintenance', count: 24 },
  { resolution: 'unresolved', availability: 'unresolved', count: 24 },
  { admin: 'drain', availability: 'drain', count: 12 },
  { check: 'down', availability: 'down', count: 4 },
  { outlier: 'ejected', availability: 'ejected', count: 2 },
  { outlier: 'halfOpen', availability: 'halfOpen', count: 2 },
  { outlier: 'suspect', availability: 'suspect', count: 2 },
  { availability: 'up', count: 2 },
];

function keysOf<T extends object>(table: T): (keyof T)[] {
  return Object.keys(table) as (keyof T)[];
}

const COMBINATIONS = keysOf(ADMIN).flatMap((admin) =>
  keysOf(RESOLUTION).flatMap((resolution) =>
    keysOf(CHECK).flatMap((check) => keysOf(OUTLIER).map((outlier) => ({ admin, resolution, check, outlier }))),
  ),
);

type Combination = (typeof COMBINATIONS)[number];

function fits(row: Row, combination: Combination): boolean {
  return (['admin', 'resolution', 'check', 'outlier'] as const).every(
    (axis) => row[axis] === undefined || row[axis] === combination[axis],
  );
}

describe('availabilityOf', () => {
  assert.equal(COMBINATIONS.length, 72);
  for (const [index, row] of ROWS.entries()) {
    const decided = COMBINATIONS.filter((one) => ROWS.findIndex((candidate) => fits(candidate, one)) === index);
    test(`row ${index + 1} gives ${row.availability} for ${row.count} combinations`, () => {
      assert.equal(decided.length, row.count);
      for (const one of decided) assert.equal(availabilityOf(one), row.availability, JSON.stringify(one));
    });
  }

  test('an endpoint whose check is unknown is usable', () => {
    assert.equal(
      availabilityOf({ admin: 'ready', resolution: 'resolved', check: 'unknown', outlier: 'none' }),
      AVAILABILITY_NAMES[AVAILABILITY.up],
    );
  });
});

test('names are indexed by their number', () => {
  for (const [name, number] of Object.entries(AVAILABILITY)) assert.equal(AVAILABILITY_NAMES[number], name);
});
