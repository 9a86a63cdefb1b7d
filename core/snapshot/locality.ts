// Preference for endpoints of one's own zone in the Snapshot. Thread: both.

export interface LocalitySnapshot {
  /** The zone of this process, not ''. */
  readonly zone: string;
  /** Usable share of the zone's weight below which requests spill over to other zones in proportion; 1..100. */
  readonly spillBelowPercent: number;
}
