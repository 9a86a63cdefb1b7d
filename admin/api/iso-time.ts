// Times of the admin API: ISO 8601 in UTC. Pure. Thread: main.

/** @param wallMs ms since 1970 */
export function isoOf(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

/** The same for an optional time. */
export function isoOrNull(wallMs: number | null): string | null {
  return wallMs === null ? null : isoOf(wallMs);
}
