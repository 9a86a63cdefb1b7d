// Heads of requests and responses as the exchange sees them, without saying where the bytes stand. Thread: both.

/** Field names and values in turn, names as they came: [name, value, name, value, ...]. */
export type FieldList = readonly string[];

/** Length of a body that is not known beforehand. */
export const UNKNOWN_LENGTH = -1;

/**
 * A request's head. Implemented by each downstream adaptor; whoever knows an implementation may use more of it
 * (the fast transport reads the offsets of the fast adaptor's head), all others use only this.
 */
export interface RequestHead {
  readonly method: string;
  /** Origin-form: path and query as they came, percent-encoding untouched. '*' for OPTIONS *. */
  readonly target: string;
  /** Host and optional port that the client asked for; '' where it named none (HTTP/1.0). */
  readonly authority: string;
  /** '1.0', '1.1' or '2.0': what the client spoke. */
  readonly version: string;
  /** Body bytes: 0 is no body, UNKNOWN_LENGTH is chunked (or HTTP/2 without a content-length). */
  readonly bodyLength: number;
  /** Value of the field, lines joined by ', ' (cookies by '; '); undefined where absent. @param name lower case */
  field(name: string): string | undefined;
  /** All end-to-end fields: hop-by-hop ones, those that Connection names, framing and Host are left out. */
  endToEndFields(): FieldList;
}

/** A response's head, interim or final, as an endpoint sent it. */
export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  /** Body bytes, or UNKNOWN_LENGTH for chunked and close-delimited ones; of HEAD and 304: what the field says. */
  readonly bodyLength: number;
  /** Whether the head names a body length (also of a HEAD response or 304, which have none). */
  readonly hasLength: boolean;
  /** As in RequestHead. */
  field(name: string): string | undefined;
  /** All end-to-end fields; hop-by-hop ones and framing are left out. */
  endToEndFields(): FieldList;
}
