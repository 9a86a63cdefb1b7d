// Contract of tracing in a worker: the policy `tracing` begins and ends the traces of sampled requests. Thread: both.

import type { ExchangeRecord } from './exchange-record.ts';

export interface RequestTracer {
  /**
   * Begins the trace of a sampled request.
   * @param exchange identifies it: it is the `origin` of its attempts
   * @param parentId span of the sender; '' for a new trace
   * @param state value of `tracestate`; '' for none
   * @returns the `traceparent` that names the span of the request
   */
  begin(exchange: object, traceId: string, parentId: string, state: string): string;
  /** The request has ended; without a trace this does nothing. */
  ended(exchange: object, record: ExchangeRecord): void;
}

/** Spans of one worker, for the exporter on main. */
export interface SpanBatch {
  /** UTF-8 of OTLP spans in JSON, separated by commas. */
  readonly bytes: Uint8Array;
  readonly spans: number;
  /** Spans that the worker has dropped since the last batch: there were too many. */
  readonly dropped: number;
  readonly exemplars: readonly Exemplar[];
}

/** A recorded request that an upstream's histogram of latencies has counted. */
export interface Exemplar {
  readonly upstream: string;
  readonly traceId: string;
  readonly ms: number;
  /** Wall-clock ms of its end. */
  readonly atMs: number;
}
