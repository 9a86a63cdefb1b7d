// Certificates for server names that no certificate of a listener covers, requested from main while the handshake waits.
// Main decides which names get one, and keeps them; this is the memory of one worker. Thread: worker.

import type { Clock } from '../../../core/clock.ts';
import type { CertificateOffer, CertificateRequest } from '../../../core/messages.ts';
import type { CertificateSnapshot } from '../../../core/snapshot/listener.ts';
import type { Timers } from '../../../core/timers.ts';

/** Handshakes of one worker that wait at one time: clients can make up any number of names. */
const MOST_WAITING = 1_000;
/** Names whose refusal is remembered; the oldest are forgotten first. */
const MOST_REFUSED = 10_000;

/** Receives the certificate; null where the name is refused, or the wait is over. */
type OnCertificate = (certificate: CertificateSnapshot | null, reason: string) => void;

interface Waiter {
  readonly onCertificate: OnCertificate;
  readonly cancelTimeout: () => void;
}

export interface OnDemandParts {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly timers: Timers;
  /** Sends a request to main, which answers each name. */
  readonly request: (request: CertificateRequest) => void;
}

export class OnDemandCertificates {
  readonly #parts: OnDemandParts;
  /** By keyOf, as all maps here. */
  readonly #known = new Map<string, CertificateSnapshot>();
  readonly #refused = new Map<string, { readonly untilMs: number; readonly reason: string }>();
  readonly #waiting = new Map<string, Set<Waiter>>();
  #waitingCount = 0;

  constructor(parts: OnDemandParts) {
    this.#parts = parts;
  }

  /**
   * Obtains the certificate of a name. `onCertificate` is called once, at once where main has answered before.
   * @param waitMs longest time until it is called
   * @returns cancels the wait
   */
  obtain(request: CertificateRequest, waitMs: number, onCertificate: OnCertificate): () => void {
    const key = keyOf(request);
    const certificate = this.#known.get(key) ?? null;
    const refusal = certificate === null ? this.#refusalOf(key) : '';
    if (certificate !== null || refusal !== '') onCertificate(certificate, refusal);
    else if (this.#waitingCount >= MOST_WAITING) onCertificate(null, 'too many handshakes wait for certificates');
    else return this.#wait(request, waitMs, onCertificate);
    return () => undefined;
  }

  /** Takes over an answer of main, or a change of a certificate. */
  take({ listener, name, certificate, reason, refusedForMs }: CertificateOffer): void {
    const key = keyOf({ listener, name });
    if (certificate !== null) {
      this.#refused.delete(key);
      this.#known.set(key, certificate);
    } else {
      this.#known.delete(key);
      this.#refuse(key, reason, refusedForMs);
    }
    const waiters = this.#waiting.get(key);
    if (waiters === undefined) return;
    for (const waiter of waiters) this.#finish(key, waiter, certificate, reason);
  }

  #wait(request: CertificateRequest, waitMs: number, onCertificate: OnCertificate): () => void {
    const key = keyOf(request);
    const timeout = this.#parts.timers.after(waitMs, () => this.#finish(key, waiter, null, 'no certificate in time'));
    const waiter: Waiter = { onCertificate, cancelTimeout: () => timeout.cancel() };
    const others = this.#waiting.get(key);
    if (others === undefined) this.#waiting.set(key, new Set([waiter]));
    else others.add(waiter);
    this.#waitingCount++;
    if (others === undefined) this.#parts.request(request);
    return () => void this.#remove(key, waiter);
  }

  #finish(key: string, waiter: Waiter, certificate: CertificateSnapshot | null, reason: string): void {
    if (this.#remove(key, waiter)) waiter.onCertificate(certificate, reason);
  }

  /** @returns whether it was waiting */
  #remove(key: string, waiter: Waiter): boolean {
    const waiters = this.#waiting.get(key);
    if (waiters?.delete(waiter) !== true) return false;
    waiter.cancelTimeout();
    this.#waitingCount--;
    if (waiters.size === 0) this.#waiting.delete(key);
    return true;
  }

  #refuse(key: string, reason: string, forMs: number): void {
    this.#refused.delete(key);
    if (forMs <= 0) return;
    this.#refused.set(key, { untilMs: this.#parts.clock.nowMs() + forMs, reason });
    if (this.#refused.size <= MOST_REFUSED) return;
    for (const oldest of this.#refused.keys()) {
      this.#refused.delete(oldest);
      return;
    }
  }

  /** '' where the name isn't refused. */
  #refusalOf(key: string): string {
    const refused = this.#refused.get(key);
    if (refused === undefined) return '';
    if (refused.untilMs > this.#parts.clock.nowMs()) return refused.reason;
    this.#refused.delete(key);
    return '';
  }
}

function keyOf({ listener, name }: CertificateRequest): string {
  return `${listener} ${name}`;
}
