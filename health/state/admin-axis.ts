// The admin axis: what the operator wants of an endpoint. Thread: main.

import type { Admin } from '../../core/availability.ts';

/** Edges that exist. The operator may go from everywhere to everywhere. */
export const ADMIN_EDGES: Readonly<Record<Admin, readonly Admin[]>> = {
  ready: ['drain', 'maintenance'],
  drain: ['ready', 'maintenance'],
  maintenance: ['ready', 'drain'],
};

/** The state after the operator asked for `wanted`; the same state is no edge. */
export function stepAdmin(state: Admin, wanted: Admin): Admin {
  return ADMIN_EDGES[state].includes(wanted) ? wanted : state;
}
