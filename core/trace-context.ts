// W3C Trace Context: the field `traceparent` (https://www.w3.org/TR/trace-context/ section 3.2). Pure. Thread: both.

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;

/** A valid `traceparent`. */
export interface Traceparent {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** Span of the sender, 16 hexadecimal digits. */
  readonly parentId: string;
  /** Whether the sender records the request. */
  readonly isSampled: boolean;
}

/**
 * Parses a `traceparent`; null where it is invalid: another form, version ff, or an id of zeros. Later versions may have
 * further parts.
 */
export function parseTraceparent(text: string): Traceparent | null {
  const parts = TRACEPARENT.exec(text);
  if (parts === null) return null;
  const [, version, traceId, parentId, flags, more] = parts;
  if (version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (/^0+$/.test(traceId!) || /^0+$/.test(parentId!)) return null;
  return { traceId: traceId!, parentId: parentId!, isSampled: (Number.parseInt(flags!, 16) & SAMPLED) === SAMPLED };
}

/** The trace id of a `traceparent`; null where it is invalid. */
export function traceIdOf(traceparent: string): string | null {
  return parseTraceparent(traceparent)?.traceId ?? null;
}

export function formatTraceparent(traceId: string, parentId: string, isSampled: boolean): string {
  return `00-${traceId}-${parentId}-${isSampled ? '01' : '00'}`;
}
