// What an attempt's end means for its endpoint: counters in shared memory at once, the rest by message to main
// (docs/design.md 1.4 and 4). Thread: worker.

import { SIGNALS, type Signal } from '../../core/failure.ts';
import {
  E_CONSECUTIVE,
  E_GENERATION,
  E_LAST_SUCCESS,
  E_SUSPECT,
  SUSPICION,
  UPSTREAM,
} from '../../core/memory/layout.ts';
import type { Region } from '../../core/memory/region.ts';
import type { MessageToMain } from '../../core/messages.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';

/** A good answer speaks for an endpoint that answers badly now for so long. */
const WELL_MS = 10_000;

/** Where signals go. */
export interface SignalSink {
  readonly region: Region;
  wallMs(): number;
  post(message: MessageToMain): void;
}

/**
 * Reports how an attempt ended. A slot that has another owner by now is left alone.
 * @param isTrial whether the attempt was the one that decides a half-open endpoint.
 */
export function reportSignal(
  sink: SignalSink,
  upstream: UpstreamSnapshot,
  endpoint: EndpointSnapshot,
  signal: Signal,
  isTrial: boolean,
): void {
  const { words } = sink.region;
  const { slot, generation } = endpoint;
  const word = sink.region.endpointWord(slot);
  if (words[word + E_GENERATION] !== generation) return;
  const { consecutive, marksSuspect } = SIGNALS[signal];
  const isNews = signal !== 'gateway' || wasWell(sink, word);
  if (consecutive === 'reset') {
    if (words[word + E_CONSECUTIVE] !== 0) Atomics.store(words, word + E_CONSECUTIVE, 0);
    words[word + E_LAST_SUCCESS] = (sink.wallMs() - sink.region.originWallMs) | 0;
  } else if (consecutive === 'add') {
    const failures = Atomics.add(words, word + E_CONSECUTIVE, 1) + 1;
    if (failures === upstream.passive.consecutiveFailures) sink.post({ kind: 'threshold', slot, generation, signal });
  }
  if (isTrial && signal !== 'client') sink.post({ kind: 'trial', slot, generation, ok: signal === 'ok' });
  if (marksSuspect && isNews) markSuspect(sink, upstream, endpoint, signal);
}

/**
 * Whether an endpoint had been answering well: its last answer to anybody was good, or one a moment ago was. One that
 * answers 502, 503 or 504 all the time is what ejection is for; suspecting it again and again would say nothing.
 */
function wasWell(sink: SignalSink, word: number): boolean {
  const { region } = sink;
  const lastMs = region.words[word + E_LAST_SUCCESS]!;
  if (lastMs === 0) return false;
  return region.words[word + E_CONSECUTIVE] === 0 || ((sink.wallMs() - region.originWallMs) | 0) - lastMs < WELL_MS;
}

/**
 * Marks an endpoint suspect that has closed several idle connections too early (see proxy/upstream/idle-deaths.ts): a
 * killed process does that before any request fails. An orderly restart does too; the heartbeat clears it.
 */
export function reportIdleDeath(sink: SignalSink, upstream: UpstreamSnapshot, endpoint: EndpointSnapshot): void {
  if (sink.region.words[sink.region.endpointWord(endpoint.slot) + E_GENERATION] !== endpoint.generation) return;
  markSuspect(sink, upstream, endpoint, 'staleConnection');
}

/** Marks an endpoint suspect for all workers at once; the worker that sets the mark reports it to main. */
export function markSuspect(
  sink: SignalSink,
  upstream: UpstreamSnapshot,
  endpoint: EndpointSnapshot,
  signal: Signal,
): void {
  const { words } = sink.region;
  const { slot, generation } = endpoint;
  if (!setMark(words, sink.region.endpointWord(slot) + E_SUSPECT, signal === 'slow')) return;
  Atomics.add(words, sink.region.upstreamWord(upstream.index) + UPSTREAM.suspects.index, 1);
  sink.post({ kind: 'suspect', slot, generation, signal });
}

/** Sets the mark in an endpoint's word. Returns false where it is set already; a failure replaces a mark for being slow. */
function setMark(words: Int32Array, word: number, isSlow: boolean): boolean {
  const mark = isSlow ? SUSPICION.slow : SUSPICION.failure;
  const before = Atomics.compareExchange(words, word, SUSPICION.none, mark);
  if (before === SUSPICION.none) return true;
  return !isSlow && before === SUSPICION.slow && Atomics.compareExchange(words, word, SUSPICION.slow, mark) === before;
}
