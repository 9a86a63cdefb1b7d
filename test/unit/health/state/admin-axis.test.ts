// The axes with nothing but edges: admin and resolution, every pair of states. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ADMIN_EDGES, stepAdmin } from '../../../../health/state/admin-axis.ts';
import { RESOLUTION_EDGES, stepResolution } from '../../../../health/state/resolution-axis.ts';

describe('the admin axis', () => {
  const states = ['ready', 'drain', 'maintenance'] as const;
  for (const from of states) {
    for (const to of states) {
      test(`${from}, asked for ${to}`, () => {
        assert.equal(stepAdmin(from, to), to);
        assert.equal(ADMIN_EDGES[from].includes(to), from !== to);
      });
    }
  }
});

describe('the resolution axis', () => {
  const states = ['resolved', 'unresolved'] as const;
  for (const from of states) {
    for (const to of states) {
      test(`${from}, found ${to}`, () => {
        assert.equal(stepResolution(from, to), to);
        assert.equal(RESOLUTION_EDGES[from].includes(to), from !== to);
      });
    }
  }
});
