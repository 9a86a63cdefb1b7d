// Changes of the endpoints of an upstream: what main sends to workers instead of whole lists, and what a worker passes to its
// parts. Their size is that of the change, not that of the upstream. Thread: both.

import type { EndpointSnapshot } from './snapshot/endpoint.ts';
import type { UpstreamSnapshot } from './snapshot/upstream.ts';

/** An owner of a slot. */
export type SlotOwner = Pick<EndpointSnapshot, 'slot' | 'generation'>;

/** A slot that was given to another endpoint has another generation. */
export function identityOf({ slot, generation }: SlotOwner): string {
  return `${slot}/${generation}`;
}

/** Neighbours in the list before that stay as they are. */
interface EndpointRun {
  readonly from: number;
  readonly count: number;
}

export interface EndpointDelta {
  /** Index of the upstream. */
  readonly index: number;
  /** The list from now on: runs of the list before, and endpoints that are new or have other settings. */
  readonly pieces: readonly (EndpointRun | EndpointSnapshot)[];
  readonly removed: readonly SlotOwner[];
}

/** An upstream whose endpoints have changed. */
export interface AmendedUpstream {
  /** As it is now. */
  readonly upstream: UpstreamSnapshot;
  /** Its endpoints that are new or have other settings. */
  readonly changed: readonly EndpointSnapshot[];
  readonly removed: readonly SlotOwner[];
}

/** @param after has the objects of `before` for endpoints that stay as they are */
export function deltaOf(
  index: number,
  before: readonly EndpointSnapshot[],
  after: readonly EndpointSnapshot[],
): EndpointDelta {
  const places = new Map(before.map((endpoint, at) => [endpoint, at]));
  const pieces: (EndpointRun | EndpointSnapshot)[] = [];
  let run = { from: 0, count: 0 };
  for (const endpoint of after) {
    const at = places.get(endpoint);
    if (at === undefined) pieces.push(endpoint);
    else if (run.count > 0 && run.from + run.count === at && pieces.at(-1) === run) run.count++;
    else pieces.push((run = { from: at, count: 1 }));
  }
  const present = new Map(after.map(({ slot, generation }) => [slot, generation]));
  const removed = before.filter(({ slot, generation }) => present.get(slot) !== generation);
  return { index, pieces, removed: removed.map(({ slot, generation }) => ({ slot, generation })) };
}

/** The list after a change; endpoints that stay as they are keep their objects. */
export function withDelta(before: readonly EndpointSnapshot[], { pieces }: EndpointDelta): readonly EndpointSnapshot[] {
  const after: EndpointSnapshot[] = [];
  for (const piece of pieces) {
    if (!isRun(piece)) after.push(piece);
    else for (let at = piece.from; at < piece.from + piece.count; at++) after.push(before[at]!);
  }
  return after;
}

/** The endpoints of a change that are new or have other settings. */
export function changedIn({ pieces }: EndpointDelta): readonly EndpointSnapshot[] {
  return pieces.filter((piece): piece is EndpointSnapshot => !isRun(piece));
}

function isRun(piece: EndpointRun | EndpointSnapshot): piece is EndpointRun {
  return 'from' in piece;
}
