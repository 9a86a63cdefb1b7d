// A span in the JSON encoding of OTLP (opentelemetry-proto, trace.proto; section "JSON Protobuf Encoding" of the OTLP
// specification), written as text: a sampled request has five to ten of them. Thread: worker.

/** Numbers of Span.SpanKind. */
export const SPAN_KIND = { internal: 1, server: 2, client: 3 } as const;

/** Number of Status.StatusCode for an error. */
const STATUS_ERROR = 2;
/** Longest text that a client chooses. */
const LONGEST_TEXT = 2048;
/** Longest `tracestate` that must be passed on (https://www.w3.org/TR/trace-context/ section 3.3.1.5). */
const LONGEST_STATE = 512;

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** '' for none. */
  readonly parentId: string;
  /** '' for none. */
  readonly state?: string;
  readonly name: string;
  readonly kind: number;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  readonly endMs: number;
  /** Made by `textAttribute` and the like, joined by commas. */
  readonly attributes: readonly string[];
  /** Description of the error; null for success. */
  readonly error: string | null;
}

export function spanJson(span: Span): string {
  const { traceId, spanId, parentId, state = '', name, kind, startMs, endMs, attributes, error } = span;
  const parent = parentId === '' ? '' : `,"parentSpanId":"${parentId}"`;
  const traceState = state === '' || state.length > LONGEST_STATE ? '' : `,"traceState":${JSON.stringify(state)}`;
  const status = error === null ? '' : `,"status":{"code":${STATUS_ERROR},"message":${JSON.stringify(error)}}`;
  const ids = `{"traceId":"${traceId}","spanId":"${spanId}"${parent}${traceState}`;
  const times = `"startTimeUnixNano":"${nanoseconds(startMs)}","endTimeUnixNano":"${nanoseconds(endMs)}"`;
  const known = `"name":${JSON.stringify(name)},"kind":${kind},${times},"attributes":[${attributes.join(',')}]`;
  return `${ids},${known}${status}}`;
}

export function textAttribute(key: string, value: string): string {
  const text = value.length > LONGEST_TEXT ? value.slice(0, LONGEST_TEXT) : value;
  return `{"key":"${key}","value":{"stringValue":${JSON.stringify(text)}}}`;
}

/** 64-bit integers are texts in the JSON encoding of protobuf. */
export function intAttribute(key: string, value: number): string {
  return `{"key":"${key}","value":{"intValue":"${value}"}}`;
}

export function boolAttribute(key: string, value: boolean): string {
  return `{"key":"${key}","value":{"boolValue":${value}}}`;
}

/** Microseconds since 1970 are exact in a number; nanoseconds are not. */
function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1000)}000`;
}
