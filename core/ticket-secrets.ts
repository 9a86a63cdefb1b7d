// Secrets from which the keys of TLS session tickets are derived. Thread: both.

export interface TicketSecrets {
  readonly current: Uint8Array;
  /** Of the period before; null once none of its tickets can be valid. */
  readonly previous: Uint8Array | null;
}

/** Lifetime of a session, in seconds: tickets are accepted for so long. */
export const SESSION_LIFETIME_S = 7200;
