// Error of an endpoint's connection, with its kind of failure. Thread: both.

import type { FailureKind } from '../core/failure.ts';
import { isLastingTlsError } from './tls-error-cause.ts';

/** Created where the fault is detected: only there its kind is certain. The message is for the log only. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }

  /** As in Failure. */
  get isLasting(): boolean {
    return this.kind === 'tls-failed' && isLastingTlsError(this.cause);
  }
}
