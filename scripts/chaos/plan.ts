// What a run does to endpoints and what it asks of the proxy, all decided before it begins. Thread: main.

/**
 * What is done to an endpoint:
 *
 * | kind | from its start to its end |
 * |---|---|
 * | kill | SIGKILL; at the end another process listens on the same port |
 * | stop | SIGSTOP; SIGCONT at the end |
 * | reset | every request is read and its connection reset before a byte of response |
 * | unavailable | every request is answered with 503 |
 * | late | every request is answered four seconds late, those at the end too |
 * | restart | SIGTERM: accepts no more, ends what it accepted, 200 ms later it is gone; at the end another process listens |
 * | halve | half of the requests at a time |
 */
export const FAULT_KINDS = ['kill', 'stop', 'reset', 'unavailable', 'late', 'restart', 'halve'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Times are milliseconds after the load begins. */
export interface Fault {
  readonly kind: FaultKind;
  /** Index of the endpoint. */
  readonly endpoint: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** One request that is sent when its time has come, however the ones before it fare (open loop). */
export interface Arrival {
  /** Unique in the run, and what the endpoint must send back. */
  readonly id: string;
  readonly atMs: number;
  readonly method: 'GET' | 'POST';
  /** What the endpoint is to spend on it. */
  readonly workMs: number;
  /** Bytes of the body beside the id; 0 for a GET. */
  readonly bodyBytes: number;
  /** Whether it comes over a connection of its own. */
  readonly isAlone: boolean;
}

/** One of the endpoints, as it is started. */
export interface EndpointSpec {
  readonly name: string;
  /** Requests that it works on at a time; more of them wait in it. 0 is no limit. */
  readonly slots: number;
  /** What its work takes, as a multiple of what a request asks for. */
  readonly slowness: number;
  /** Answers every request but those of health checks with 503 at once. */
  readonly isBroken?: boolean;
}

export interface Plan {
  readonly endpoints: readonly EndpointSpec[];
  readonly arrivals: readonly Arrival[];
  readonly faults: readonly Fault[];
  /** Patience of the client with one request, from the time at which it was to be sent. */
  readonly patienceMs: number;
}

/** The faults that are in force at a time. */
export function faultsAt(faults: readonly Fault[], atMs: number): readonly Fault[] {
  return faults.filter((fault) => fault.startMs <= atMs && atMs < fault.endMs);
}
