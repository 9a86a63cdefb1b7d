// The states of an exchange and the transitions between them. Only Exchange.enter changes a state. Thread: worker.

/** Numbers, so that a transition is checked by one bit test. */
export const STATE = {
  /** Being routed and admitted. */
  routing: 0,
  /** Waits for a place. */
  queued: 1,
  /** An attempt waits for a connection. */
  leasing: 2,
  /** An attempt awaits its response head. */
  sent: 3,
  /** Waits before the next attempt. */
  backoff: 4,
  /** The response head has gone to the client. */
  relaying: 5,
  /** The endpoint has sent its whole response, and still takes the request body. */
  uploading: 6,
  /** The whole response has gone to the client side, and is being flushed. */
  replied: 7,
  /** Upgraded. */
  tunnel: 8,
  /** Recorded. */
  done: 9,
} as const;
export type StateName = keyof typeof STATE;
export type ExchangeState = (typeof STATE)[StateName];

/** Names by number, for messages. */
export const STATE_NAMES = Object.keys(STATE) as readonly StateName[];

/**
 * For each state, the states from which it may be entered. Edges go forward but for retries (`leasing` and `sent` to
 * `queued`, `leasing` or `backoff`) and hedges, whose second attempt leases while the first is in either state.
 */
const ALLOWED_FROM: Readonly<Record<StateName, readonly StateName[]>> = {
  routing: ['done'],
  queued: ['routing', 'leasing', 'sent', 'backoff'],
  leasing: ['routing', 'queued', 'leasing', 'sent', 'backoff'],
  sent: ['leasing', 'sent'],
  backoff: ['leasing', 'sent', 'queued'],
  relaying: ['sent', 'leasing', 'routing'],
  uploading: ['relaying'],
  replied: ['routing', 'queued', 'leasing', 'sent', 'backoff', 'relaying', 'uploading'],
  tunnel: ['sent'],
  done: ['routing', 'queued', 'leasing', 'sent', 'backoff', 'relaying', 'uploading', 'replied', 'tunnel'],
};

/** The same as bits: by the state to enter, one bit for each state that it may be entered from. */
const ALLOWED_BITS = Int32Array.from(STATE_NAMES, (name) =>
  ALLOWED_FROM[name].reduce((bits, from) => bits | (1 << STATE[from]), 0),
);

/** Asserts that a transition is allowed. @throws Error otherwise: a fault of the code, which ends the worker */
export function assertTransition(from: ExchangeState, to: ExchangeState): void {
  if (((ALLOWED_BITS[to]! >> from) & 1) === 1) return;
  throw new Error(`exchange state cannot change from ${STATE_NAMES[from]} to ${STATE_NAMES[to]}`);
}
