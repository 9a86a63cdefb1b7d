// Discovery of an upstream's endpoints in the Snapshot. Thread: both.

/** A source by its registered name, with the settings that its `compile` returned: plain data. */
export interface SourceSnapshot {
  readonly kind: string;
  readonly settings: object;
}

export interface DiscoverySnapshot {
  /** In the order of the file. An address that two of them yield belongs to the first. */
  readonly sources: readonly SourceSnapshot[];
  readonly guard: GuardSnapshot | null;
}

/** Holds a set that is much smaller than the one before. */
export interface GuardSnapshot {
  /** A set without more than this share of the endpoints of the one before is held. */
  readonly maxRemovedPercent: number;
  /** Time after which it is followed nevertheless, in ms; 0 for never. */
  readonly holdMs: number;
}
