// Tracing as compiled: where spans are sent. Sampling is data of the policy `tracing`. Thread: both.

import type { FieldList } from '../head.ts';

export interface TracingSnapshot {
  /** URL of the receiver, with its path. */
  readonly url: string;
  /** Fields of requests to the receiver. */
  readonly secrets: FieldList;
  /** Attributes of the resource: names and values in turn; `service.name` is the first. */
  readonly resource: readonly string[];
  readonly timeoutMs: number;
  /** Spans that wait for the receiver, in bytes. */
  readonly queueBytes: number;
  readonly isCompressed: boolean;
}
