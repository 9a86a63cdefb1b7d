// What the retry decision looks at, taken from an exchange. Thread: worker.

import type { Exchange } from './exchange.ts';
import { isIdempotentRequest, type RetryFacts } from '../placement/retry.ts';

/** Whether doing the exchange's request twice is doing it once: by its method, or because its sender says so. */
export function isIdempotent(exchange: Exchange): boolean {
  return isIdempotentRequest(exchange.head);
}

/** Whether another try could follow one that was sent and not answered: level b, budget and other endpoints aside. */
export function mayRepeat(exchange: Exchange): boolean {
  if (exchange.hasResponseBegun || !isReplayable(exchange)) return false;
  if (exchange.attempts - exchange.hedges > exchange.target!.snapshot.retry.attempts) return false;
  return isIdempotent(exchange);
}

/** The facts of a failed attempt. @param kind what failed; a status that is retried is 'status' */
export function retryFactsOf(exchange: Exchange, kind: RetryFacts['kind'], wasSent: boolean): RetryFacts {
  return {
    kind,
    wasSent,
    isIdempotent: isIdempotent(exchange),
    isBodyReplayable: isReplayable(exchange),
    hasResponseBegun: exchange.hasResponseBegun,
    mayWait: exchange.target!.snapshot.whenAllDown === 'wait',
    retriesSoFar: exchange.attempts - exchange.hedges - 1,
  };
}

/** Whether all of the body that came so far can be sent again. */
export function isReplayable(exchange: Exchange): boolean {
  return exchange.replay === null || exchange.replay.isComplete;
}
