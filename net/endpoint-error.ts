// An error of an endpoint's connection that says itself which kind of failure it is. Thread: both.

import type { FailureKind } from '../core/failure.ts';

/** Made where the fault is seen, because only there its kind is certain. Its message is for the log only. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}
