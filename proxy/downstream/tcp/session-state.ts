// States of a TCP session and the transitions between them. Thread: worker.

export const SESSION_STATE = {
  /** Accepted, and not routed yet. */
  accepted: 0,
  /** In the queue of its upstream, or before another attempt. */
  waiting: 1,
  /** A connection to an endpoint is being made. */
  dialling: 2,
  relaying: 3,
  over: 4,
} as const;
export type SessionState = (typeof SESSION_STATE)[keyof typeof SESSION_STATE];

const { accepted, waiting, dialling, relaying, over } = SESSION_STATE;

const ALLOWED: Readonly<Record<SessionState, readonly SessionState[]>> = {
  [accepted]: [waiting, dialling, over],
  [waiting]: [waiting, dialling, over],
  [dialling]: [waiting, dialling, relaying, over],
  [relaying]: [over],
  [over]: [],
};

/** @throws Error where a session can't change so */
export function assertSessionTransition(from: SessionState, to: SessionState): void {
  if (!ALLOWED[from].includes(to)) throw new Error(`a TCP session cannot change from state ${from} to ${to}`);
}
