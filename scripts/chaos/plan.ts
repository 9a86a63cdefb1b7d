// Plan of a run: faults and requests, all decided before it starts. Thread: main.

/**
 * Kinds of fault:
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

/** Times are in milliseconds after the start of the load. */
export interface Fault {
  readonly kind: FaultKind;
  /** Index of the endpoint. */
  readonly endpoint: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** One request, sent at its time regardless of earlier ones (open loop). */
export interface Arrival {
  /** Unique in the run; the endpoint must return it. */
  readonly id: string;
  readonly atMs: number;
  readonly method: 'GET' | 'POST';
  /** Work of the endpoint in ms. */
  readonly workMs: number;
  /** Bytes of the body beside the id; 0 for a GET. */
  readonly bodyBytes: number;
  /** Whether it uses a connection of its own. */
  readonly isAlone: boolean;
}

/** Start parameters of one endpoint. */
export interface EndpointSpec {
  readonly name: string;
  /** Requests processed at once; more of them wait in the endpoint. 0 is no limit. */
  readonly slots: number;
  /** Factor on the work of each request. */
  readonly slowness: number;
  /** Answers every request but those of health checks with 503 at once. */
  readonly isBroken?: boolean;
}

export interface Plan {
  readonly endpoints: readonly EndpointSpec[];
  readonly arrivals: readonly Arrival[];
  readonly faults: readonly Fault[];
  /** Timeout of the client for one request in ms, from its scheduled time. */
  readonly patienceMs: number;
}

/** Faults that are active at a time. */
export function faultsAt(faults: readonly Fault[], atMs: number): readonly Fault[] {
  return faults.filter((fault) => fault.startMs <= atMs && atMs < fault.endMs);
}
