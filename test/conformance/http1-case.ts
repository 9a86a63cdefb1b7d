// The shape of a conformance case: bytes, and what RFC 9110 and 9112 say about them. Written from the RFCs' text; used
// against the codec here and against whole proxies elsewhere.

/** What must become of a stream of requests at a proxy. */
export interface RequestCase {
  /** Behaviour, as a test's name. */
  readonly name: string;
  /** Where the rule stands: RFC and section. */
  readonly rule: string;
  /** latin1, one character a byte. */
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

/** What reaches the endpoint of a request. */
export interface ExpectedRequest {
  readonly method: string;
  readonly target: string;
  readonly body: string;
  /** Fields that must be there: lower-case names and values in turn. */
  readonly fields?: readonly string[];
  /** Lower-case names of fields that must not be there. */
  readonly absent?: readonly string[];
}

/** What must become of an endpoint's response at a proxy. */
export interface ResponseCase {
  readonly name: string;
  readonly rule: string;
  readonly bytes: string;
  /** Of the request that is answered; GET where left out. */
  readonly method?: 'HEAD';
  /**
   * deliver: status and body reach the client. refuse: 502, or a cut where the head had gone. cut: whole up to the
   * endpoint's close, which comes too early: the client must not take it for whole.
   */
  readonly verdict: 'deliver' | 'refuse' | 'cut';
  readonly status?: number;
  readonly body?: string;
  /** How many bytes behind the response belong to none: the connection can't be used again. */
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
