// W3C Trace Context: the field `traceparent` (https://www.w3.org/TR/trace-context/ section 3.2). Pure. Thread: both.

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/;

/**
 * The trace id of a `traceparent`; null where it is invalid: another form, version ff, or an id of zeros. Later versions
 * may have further parts.
 */
export function traceIdOf(traceparent: string): string | null {
  const parts = TRACEPARENT.exec(traceparent);
  if (parts === null) return null;
  const [, version, traceId, parentId, more] = parts;
  if (version === 'ff' || (version === '00' && more !== undefined)) return null;
  return /^0+$/.test(traceId!) || /^0+$/.test(parentId!) ? null : traceId!;
}
