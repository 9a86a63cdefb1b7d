// Settings and endpoints for the tests of sticky cookies. Thread: worker.

import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { StickySnapshot } from '../../core/snapshot/upstream.ts';
import { endpointSnapshot } from './snapshots.ts';

export const SECRET = 'sixteen letters and more';

/** 2030-01-01. */
export const NOW_MS = Date.UTC(2030, 0, 1);

export function settingsOf(changes: Partial<StickySnapshot> = {}): StickySnapshot {
  return {
    cookie: 'lb',
    secrets: [SECRET],
    maxIdleMs: 1_800_000,
    maxLifeMs: 43_200_000,
    sameSite: 'Lax',
    isHttpOnly: true,
    isPassedOn: false,
    secure: 'auto',
    ...changes,
  };
}

/** Endpoints by id, in slots from 7 on. */
export function endpointsOf(...ids: readonly string[]): EndpointSnapshot[] {
  return ids.map((id, index) => endpointSnapshot(7 + index, { id }));
}

/** The value in a Set-Cookie field of the cookie lb. */
export function valueOf(setCookie: string): string {
  return setCookie.slice('lb='.length, setCookie.indexOf(';'));
}
