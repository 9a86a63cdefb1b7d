// Request and response heads as the exchange sees them, independent of how their bytes are stored. Thread: both.

/** Alternating field names and values, names in their original letter case: [name, value, name, value, ...]. */
export type FieldList = readonly string[];

/** Body length of chunked and close-delimited messages. */
export const UNKNOWN_LENGTH = -1;

/**
 * A request's head. Implemented by each downstream adaptor; whoever knows an implementation may use more of it
 * (the fast transport reads the offsets of the fast adaptor's head), all others use only this.
 */
export interface RequestHead {
  readonly method: string;
  /** Origin-form: path and query as received, percent-encoding unchanged. '*' for OPTIONS *. */
  readonly target: string;
  /** Host and optional port that the client requested; '' if it named none (HTTP/1.0). */
  readonly authority: string;
  /** HTTP version of the request: '1.0', '1.1' or '2.0'. */
  readonly version: string;
  /** Body length in bytes; 0 for no body, UNKNOWN_LENGTH for chunked (or HTTP/2 without content-length). */
  readonly bodyLength: number;
  /** Whether the client waits for a 100 before it sends its body (RFC 9110 section 10.1.1); not if absent. */
  readonly expectsContinue?: boolean;
  /** False where the scan of the head has seen no field in which a client may forge its origin; absent if not known. */
  readonly mayClaimOrigin?: boolean;
  /** Field value, lines joined by ', ' (cookies by '; '); undefined if absent. @param name lower case */
  field(name: string): string | undefined;
  /** All end-to-end fields: without hop-by-hop fields, those named by Connection, framing fields and Host. */
  endToEndFields(): FieldList;
}

/** Head of an interim or final response of an endpoint. */
export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  /** Body length in bytes, or UNKNOWN_LENGTH; for HEAD and 304 the value of Content-Length. */
  readonly bodyLength: number;
  /** Whether the head states a body length (possible for HEAD and 304 too, which have no body). */
  readonly hasLength: boolean;
  /** See RequestHead.field. */
  field(name: string): string | undefined;
  /** All end-to-end fields: without hop-by-hop and framing fields. */
  endToEndFields(): FieldList;
}

/** Value of a field, its lines joined by ', ' (Cookie's by '; ', RFC 9113 section 8.2.3). @param name lower case */
export function joinedField(fields: FieldList, name: string): string | undefined {
  let joined: string | undefined;
  for (let at = 0; at < fields.length; at += 2) {
    if (!isNamed(fields[at]!, name)) continue;
    const value = fields[at + 1]!;
    joined = joined === undefined ? value : joined + (name === 'cookie' ? '; ' : ', ') + value;
  }
  return joined;
}

/** Compares a field name without case. @param lowerName lower case */
export function isNamed(name: string, lowerName: string): boolean {
  return name.length === lowerName.length && (name === lowerName || name.toLowerCase() === lowerName);
}
