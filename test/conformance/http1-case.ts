// Conformance cases: bytes and the verdicts of RFC 9110 and 9112, written from the RFCs' text. Used against the codec and
// against whole proxies. Thread: main.

/** A stream of requests and its required handling by a proxy. */
export interface RequestCase {
  /** Behaviour, as a test's name. */
  readonly name: string;
  /** RFC and section of the rule. */
  readonly rule: string;
  /** latin1, one character per byte. */
  readonly bytes: string;
  /**
   * accept: each of `requests` reaches the endpoint. refuse: the first request that isn't among `requests` is answered
   * with 400 to 599 and the connection ends; nothing from there on reaches the endpoint. either: as in accept or refuse.
   */
  readonly verdict: 'accept' | 'refuse' | 'either';
  readonly requests: readonly ExpectedRequest[];
  /** Whether the fast path leaves the case to the general path. */
  readonly isHandedOff?: boolean;
}

/** A request as the endpoint receives it. */
export interface ExpectedRequest {
  readonly method: string;
  readonly target: string;
  readonly body: string;
  /** Required fields: [lower-case name, value, ...]. */
  readonly fields?: readonly string[];
  /** Lower-case names of forbidden fields. */
  readonly absent?: readonly string[];
}

/** A response of an endpoint and its required handling by a proxy. */
export interface ResponseCase {
  readonly name: string;
  readonly rule: string;
  readonly bytes: string;
  /** Method of the request; GET by default. */
  readonly method?: 'HEAD';
  /**
   * deliver: status and body reach the client. refuse: 502, or a cut where the head had gone. cut: whole up to the
   * endpoint's close, which comes too early: the client must not take it for whole.
   */
  readonly verdict: 'deliver' | 'refuse' | 'cut';
  readonly status?: number;
  readonly body?: string;
  /** Number of bytes after the response that belong to none: the connection can't be reused. */
  readonly surplusBytes?: number;
}

/** A request whose body is empty. */
export function bare(method: string, target: string): ExpectedRequest {
  return { method, target, body: '' };
}

const HOST = 'Host: a.test\r\n';

/** A GET with these further lines, each with its line end. */
export function get(lines = '', target = '/'): string {
  return `GET ${target} HTTP/1.1\r\n${HOST}${lines}\r\n`;
}

/** A POST with these further lines, and a body. */
export function post(lines: string, body: string): string {
  return `POST / HTTP/1.1\r\n${HOST}${lines}\r\n${body}`;
}
