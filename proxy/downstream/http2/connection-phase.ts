// Phases of an HTTP/2 client connection, and the transitions between them. Thread: worker.

/**
 * PREFACE: the client's preface is incomplete. OPEN: streams are served. DRAINING: the first GOAWAY has been sent, and
 * streams that were on their way are served. LEAVING: the last GOAWAY has been sent; open streams are finished. LINGERING:
 * our side is closed, and the client's is read until it closes. GONE: closed.
 */
export const Phase = { PREFACE: 0, OPEN: 1, DRAINING: 2, LEAVING: 3, LINGERING: 4, GONE: 5 } as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** For each phase, those that may follow it. */
const ALLOWED: readonly (readonly Phase[])[] = [
  [Phase.OPEN, Phase.LINGERING, Phase.GONE],
  [Phase.DRAINING, Phase.LEAVING, Phase.LINGERING, Phase.GONE],
  [Phase.LEAVING, Phase.LINGERING, Phase.GONE],
  [Phase.LINGERING, Phase.GONE],
  [Phase.GONE],
  [],
];

/** @throws Error where the transition isn't allowed: a bug, never caused by input alone */
export function checkTransition(from: Phase, to: Phase): void {
  if (!ALLOWED[from]!.includes(to)) throw new Error(`connection phase ${from} can't precede ${to}`);
}
