// Why and in which phase an exchange ended: a closed list, mapped onto HAProxy's letters (manual 8.5). Thread: both.

/** One way for an exchange to end. */
export interface TerminationInfo {
  /**
   * HAProxy's first two letters: who ended it (C client, S endpoint, P proxy, L local, R resource, I internal,
   * c and s time-outs, D down) and in which phase (R request, Q queue, C connect, H head, D data, T tunnel).
   */
  readonly letters: string;
  readonly means: string;
}

/** The list. Every finished exchange has exactly one of these. */
export const TERMINATIONS = {
  ok: { letters: '--', means: 'the response was relayed whole' },
  localReply: { letters: 'LR', means: 'Fairlead answered itself, as configured' },
  badRequest: { letters: 'PR', means: 'the request was refused: malformed, too large or not served here' },
  noRoute: { letters: 'PR', means: 'no route matched' },
  clientGoneRequest: { letters: 'CR', means: 'the client went away while it sent its request' },
  clientTimeoutRequest: { letters: 'cR', means: 'the client took too long to send its request' },
  clientGoneQueue: { letters: 'CQ', means: 'the client went away while it waited for an endpoint' },
  queueTimeout: { letters: 'sQ', means: 'no endpoint became free in time' },
  queueFull: { letters: 'PQ', means: 'the queue was full' },
  shed: { letters: 'RQ', means: 'refused to protect the endpoints or this process' },
  noEndpoint: { letters: 'SC', means: 'no endpoint was usable' },
  connectFailed: { letters: 'SC', means: 'no connection to an endpoint could be made' },
  connectTimeout: { letters: 'sC', means: 'connecting to an endpoint took too long' },
  clientGoneConnect: { letters: 'CC', means: 'the client went away while an endpoint was being connected' },
  clientGoneHead: { letters: 'CH', means: 'the client went away before the response began' },
  endpointGoneHead: { letters: 'SH', means: 'the endpoint closed or reset before its response began' },
  responseTimeout: { letters: 'sH', means: 'the response did not begin in time' },
  badResponse: { letters: 'PH', means: "the endpoint's response was malformed" },
  clientGoneData: { letters: 'CD', means: 'the client went away during the response' },
  clientTimeoutData: { letters: 'cD', means: 'the client took no bytes for too long' },
  endpointGoneData: { letters: 'SD', means: 'the endpoint closed or reset during its response' },
  endpointTimeoutData: { letters: 'sD', means: 'the endpoint sent no bytes for too long' },
  badResponseData: { letters: 'PD', means: "the response's body was malformed" },
  drainedStream: { letters: 'KD', means: 'a response was cut, some time after a reload that took its endpoint away' },
  drainedTunnel: { letters: 'KT', means: 'an upgraded connection was closed by the deadline of a drain or a reload' },
  tunnelTimeout: { letters: 'sT', means: 'an upgraded connection was idle for too long' },
  internal: { letters: 'IH', means: 'a fault of Fairlead itself' },
} as const satisfies Record<string, TerminationInfo>;

export type Termination = keyof typeof TERMINATIONS;
