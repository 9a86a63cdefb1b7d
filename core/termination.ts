// Termination causes of an exchange: a closed list, mapped to HAProxy's termination state (manual 8.5). Thread: both.

/** One termination cause. */
export interface TerminationInfo {
  /**
   * First two letters of HAProxy's termination state: the side that ended the exchange (C client, S endpoint, P proxy,
   * L local, R resource, I internal, c and s timeouts, D down) and the phase (R request, Q queue, C connect, H head,
   * D data, T tunnel).
   */
  readonly letters: string;
  readonly means: string;
}

/** Every finished exchange has exactly one of these. */
export const TERMINATIONS = {
  ok: { letters: '--', means: 'the response was relayed completely' },
  localReply: { letters: 'LR', means: 'Fairlead answered itself, as configured (respond, redirect)' },
  policyRefused: { letters: 'PR', means: 'a policy refused the request' },
  badRequest: { letters: 'PR', means: 'the request was refused: malformed, too large or not served here' },
  noRoute: { letters: 'PR', means: 'no route matched' },
  clientGoneRequest: { letters: 'CR', means: 'the client closed the connection while sending its request' },
  clientTimeoutRequest: { letters: 'cR', means: 'the client took too long to send its request' },
  clientGoneQueue: { letters: 'CQ', means: 'the client closed the connection while its request was queued' },
  queueTimeout: { letters: 'sQ', means: 'no endpoint became available before the queue timeout' },
  queueFull: { letters: 'PQ', means: 'the queue was full' },
  shed: { letters: 'RQ', means: 'the request was shed to protect the endpoints or this process' },
  noEndpoint: { letters: 'SC', means: 'no endpoint was usable' },
  connectFailed: { letters: 'SC', means: 'connecting to an endpoint failed' },
  connectTimeout: { letters: 'sC', means: 'connecting to an endpoint timed out' },
  clientGoneConnect: {
    letters: 'CC',
    means: 'the client closed the connection while Fairlead connected to an endpoint',
  },
  clientGoneHead: { letters: 'CH', means: 'the client closed the connection before the response began' },
  endpointGoneHead: { letters: 'SH', means: 'the endpoint closed or reset the connection before its response began' },
  responseTimeout: { letters: 'sH', means: 'the response did not begin before the response timeout' },
  badResponse: { letters: 'PH', means: "the endpoint's response was malformed" },
  clientGoneData: { letters: 'CD', means: 'the client closed the connection during the response' },
  clientTimeoutData: { letters: 'cD', means: 'the client read no bytes of the response for too long' },
  endpointGoneData: { letters: 'SD', means: 'the endpoint closed or reset the connection during its response' },
  endpointTimeoutData: { letters: 'sD', means: 'the endpoint sent no bytes for too long' },
  badResponseData: { letters: 'PD', means: 'the response body was malformed' },
  responseTooLarge: { letters: 'PD', means: 'the response was cut at the size limit of its route' },
  drainedStream: { letters: 'KD', means: 'the response was cut because a reload had removed its endpoint' },
  drainedTunnel: { letters: 'KT', means: 'the upgraded connection was closed at the deadline of a drain or reload' },
  tunnelTimeout: { letters: 'sT', means: 'the upgraded connection was idle for too long' },
  sessionIdle: { letters: 'sD', means: 'no byte of the TCP session moved for too long' },
  endpointDown: { letters: 'DD', means: 'the TCP session was closed because its endpoint went down (onDown: close)' },
  drainedSession: { letters: 'KD', means: 'the TCP session was closed at the deadline of a drain or reload' },
  policyFailed: { letters: 'IH', means: 'a policy failed on this request' },
  internal: { letters: 'IH', means: 'an internal error of Fairlead' },
} as const satisfies Record<string, TerminationInfo>;

export type Termination = keyof typeof TERMINATIONS;
