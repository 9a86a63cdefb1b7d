// The field Retry-After (RFC 9110 section 10.2.3). Pure. Thread: both.

/**
 * The ms of a Retry-After: seconds or an HTTP date; 0 where it is absent or unreadable.
 * @param wallMs ms since 1970
 */
export function readRetryAfter(value: string | undefined, wallMs: number): number {
  if (value === undefined) return 0;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const atMs = /^[A-Z][a-z]{2,8},? /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(atMs) ? 0 : Math.max(0, atMs - wallMs);
}
