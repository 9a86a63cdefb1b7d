// Health signals of attempts: counters in shared memory at once, everything else by message to main (docs/design.md 1.4
// and 4). Thread: worker.

import { SIGNALS, type Signal } from '../../core/failure.ts';
import { countAnyFailure, countFailureOf, failuresIn } from '../../core/memory/failure-count.ts';
import { AVAILABILITY } from '../../core/availability.ts';
import {
  E_AVAILABILITY,
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
import type { UpstreamSettings } from '../../core/snapshot/upstream.ts';
import type { FailureSources, RequestSource } from './failure-sources.ts';

/** A good response within this time excuses a bad one. */
const WELL_MS = 10_000;
/** Good responses of an endpoint that is down are reported at most this often. */
const ALIVE_EVERY_MS = 50;

/** Receives signals. */
export interface SignalSink {
  readonly region: Region;
  readonly sources: FailureSources;
  nowMs(): number;
  wallMs(): number;
  post(message: MessageToMain): void;
}

/**
 * Reports the outcome of an attempt. Does nothing if the slot has another owner by now.
 *
 * Failures count as evidence against the endpoint by their source: one client and route counts once in a row, because
 * a crashing URL or a broken client fails everywhere. All count where the same request succeeded elsewhere. A failure
 * to connect doesn't depend on the request and always counts.
 * @param isTrial whether the attempt was the one that decides a half-open endpoint.
 * @returns whether the outcome counts for the comparison with the other endpoints
 */
export function reportSignal(
  sink: SignalSink,
  upstream: UpstreamSettings,
  endpoint: EndpointSnapshot,
  signal: Signal,
  isTrial: boolean,
  request: RequestSource,
): boolean {
  const { words } = sink.region;
  const { slot, generation } = endpoint;
  const word = sink.region.endpointWord(slot);
  if (words[word + E_GENERATION] !== generation) return false;
  const { consecutive, marksSuspect, window } = SIGNALS[signal];
  let counts = window !== 'ignore';
  let isNews = marksSuspect && (signal !== 'gateway' || wasWell(sink, word));
  if (consecutive === 'reset') {
    if (words[word + E_CONSECUTIVE] !== 0) Atomics.store(words, word + E_CONSECUTIVE, 0);
    const stampMs = (sink.wallMs() - sink.region.originWallMs) | 0;
    const isDown = words[word + E_AVAILABILITY] === AVAILABILITY.down;
    if (isDown && ((stampMs - words[word + E_LAST_SUCCESS]!) | 0) > ALIVE_EVERY_MS) {
      sink.post({ kind: 'alive', slot, generation });
    }
    words[word + E_LAST_SUCCESS] = stampMs;
    sink.sources.succeeded(upstream.index, slot, request, sink.nowMs());
  } else if (window === 'fail') {
    const { source, isRepeated, isConfirmed } = sink.sources.failed(upstream.index, slot, request, sink.nowMs());
    const isCertain = isConfirmed || signal === 'connect';
    counts = isCertain || !isRepeated;
    isNews &&= counts;
    if (consecutive === 'add' && hasReachedThreshold(sink, word, upstream, isCertain ? null : source)) {
      sink.post({ kind: 'threshold', slot, generation, signal });
    }
  }
  if (isTrial && window !== 'ignore') sink.post({ kind: 'trial', slot, generation, ok: signal === 'ok' });
  if (isNews) markSuspect(sink, upstream, endpoint, signal);
  return counts;
}

/** Counts a failure in a row. @param source null where it counts whatever its source */
function hasReachedThreshold(
  { region }: SignalSink,
  word: number,
  { passive }: UpstreamSettings,
  source: number | null,
): boolean {
  const index = word + E_CONSECUTIVE;
  const failures = source === null ? countAnyFailure(region.words, index) : countFailureOf(region.words, index, source);
  return failures > 0 && failures === passive.consecutiveFailures;
}

/**
 * Whether an endpoint had been answering well: its last response to any worker was good, or a recent one was. An endpoint
 * that always answers 502, 503 or 504 is ejected; repeated suspicions would add nothing.
 */
function wasWell(sink: SignalSink, word: number): boolean {
  const { region } = sink;
  const lastMs = region.words[word + E_LAST_SUCCESS]!;
  if (lastMs === 0) return false;
  const isClean = failuresIn(region.words[word + E_CONSECUTIVE]!) === 0;
  return isClean || ((sink.wallMs() - region.originWallMs) | 0) - lastMs < WELL_MS;
}

/**
 * Marks an endpoint suspect that has closed several idle connections too early (see proxy/upstream/idle-deaths.ts): a
 * killed process does that before any request fails. An orderly restart does too; the heartbeat clears it.
 */
export function reportIdleDeath(sink: SignalSink, upstream: UpstreamSettings, endpoint: EndpointSnapshot): void {
  if (sink.region.words[sink.region.endpointWord(endpoint.slot) + E_GENERATION] !== endpoint.generation) return;
  markSuspect(sink, upstream, endpoint, 'staleConnection');
}

/** Marks an endpoint suspect for all workers at once; the worker that sets the mark reports it to main. */
export function markSuspect(
  sink: SignalSink,
  upstream: UpstreamSettings,
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
