// Turns errors of heartbeats into results: the endpoint's fault or our own, with a cause. Thread: main.

import { causeOfError } from '../../net/error-cause.ts';
import type { HeartbeatResult } from './checker.ts';

/** The result of a heartbeat that ended in `error`. Local failures are no evidence about the endpoint. */
export function resultOfError(error: unknown): HeartbeatResult {
  const { side, text } = causeOfError(error);
  if (side === 'peer') return { kind: 'fail', cause: text };
  return side === 'own' ? { kind: 'unknown', cause: text } : { kind: 'unknown', cause: text, isUnresolved: true };
}
