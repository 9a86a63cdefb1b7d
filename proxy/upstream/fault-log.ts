// Logs protocol faults of endpoints with their cause, one line per endpoint and interval. Thread: worker.

import type { Clock } from '../../core/clock.ts';
import type { FailureKind } from '../../core/failure.ts';
import type { Logger } from '../../core/log.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { EndpointError } from '../../net/endpoint-error.ts';
import { causeOfError } from '../../net/error-cause.ts';

/** A broken endpoint breaks every response: the first fault is logged at once, later ones are counted. */
const INTERVAL_MS = 10_000;

/**
 * Called for each response that broke the protocol.
 * @param reason the rule, and the field if there is one
 */
export type OnFault = (endpoint: EndpointSnapshot, kind: FailureKind, reason: string) => void;

const INVALID_RESPONSE = { event: 'sent an invalid response', plural: 'invalid responses' };
const TLS_FAULT = { event: 'cannot be reached over TLS', plural: 'failures' };
const REFUSED_UPGRADE = { event: 'cannot take an upgrade', plural: 'faults' };

interface LastLine {
  readonly endpoint: string;
  readonly atMs: number;
  folded: number;
}

export class FaultLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  /** By slot. */
  readonly #last: (LastLine | undefined)[] = [];

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  readonly report: OnFault = ({ name, slot }, kind, reason) => {
    const nowMs = this.#clock.nowMs();
    const last = this.#last[slot];
    const isSame = last?.endpoint === name;
    if (isSame && nowMs - last.atMs < INTERVAL_MS) {
      last.folded += 1;
      return;
    }
    const folded = isSame ? last.folded : 0;
    this.#last[slot] = { endpoint: name, atMs: nowMs, folded: 0 };
    const { event, plural } =
      kind === 'tls-failed' ? TLS_FAULT : kind === 'upgrade-unsupported' ? REFUSED_UPGRADE : INVALID_RESPONSE;
    const more = folded === 0 ? '' : ` (${folded} more ${plural} since the last line)`;
    this.#log.warn({ endpoint: name, failure: kind, reason }, `endpoint ${name} ${event}: ${reason}${more}`);
  };
}

/** Reports a dial that has failed in the TLS handshake; other failures say all in their kind. */
export function reportTlsFault(
  pool: { onFault(kind: FailureKind, reason: string): void },
  error: EndpointError | null,
): void {
  if (error?.kind !== 'tls-failed') return;
  const text = error.cause === undefined ? error.message : causeOfError(error.cause).text;
  pool.onFault('tls-failed', text.replace(/^TLS failed: /, ''));
}
