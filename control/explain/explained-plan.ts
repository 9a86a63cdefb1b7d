// Retries, timeouts and hedging that apply to a request, by the same verdicts as traffic. Pure. Thread: main.

import type { ExplainReply } from '../../admin/api/explain-schemas.ts';
import { UPSTREAM } from '../../core/memory/layout.ts';
import type { Region } from '../../core/memory/region.ts';
import type { RouteSnapshot } from '../../core/snapshot/route.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { type RetryFacts, retryVerdict } from '../../proxy/placement/retry-verdict.ts';

type Plan = NonNullable<ExplainReply['plan']>;

/** Failures of a first attempt, in the operator's words. */
const FAILURES: readonly (readonly [words: string, kind: RetryFacts['kind'], wasSent: boolean])[] = [
  ['no connection could be made', 'connect-refused', false],
  ['an idle connection was stale', 'stale-connection', true],
  ['the connection was reset before a response', 'reset', true],
  ['the attempt took too long', 'try-timeout', true],
  ['no response within the response timeout', 'response-timeout', true],
];

export interface PlanFacts {
  readonly upstream: UpstreamSnapshot;
  readonly route: RouteSnapshot;
  readonly region: Region;
  readonly isIdempotent: boolean;
  readonly isHedgeable: boolean;
}

export function explainPlan({ upstream, route, region, isIdempotent, isHedgeable }: PlanFacts): Plan {
  const { retry, timeouts, hedge, limits } = upstream;
  const verdictOf = (kind: RetryFacts['kind'], wasSent: boolean): string => {
    const sofar = { hasResponseBegun: false, isBodyReplayable: true, retriesSoFar: 0 };
    return retryVerdict({ ...sofar, kind, wasSent, isIdempotent, mayWait: upstream.whenAllDown === 'wait' }, retry);
  };
  const verdicts = FAILURES.map(([failure, kind, wasSent]) => ({ failure, verdict: verdictOf(kind, wasSent) }));
  const status =
    retry.statuses.length === 0 ? [] : [{ failure: 'a retryable status', verdict: verdictOf('status', true) }];
  const mayCut = retry.onTimeout && isIdempotent && upstream.endpoints.length > 1 && retry.attempts > 0;
  const held = region.words[region.upstreamWord(upstream.index) + UPSTREAM.retryBalance.index]! / 1000;
  return {
    mayRepeat: isIdempotent,
    retries: retry.attempts,
    verdicts: [...verdicts, ...status],
    statuses: [...retry.statuses],
    budget: { ratio: retry.budgetRatio, perSecond: retry.budgetMin, held },
    bufferBytes: retry.bufferBytes,
    timeouts: {
      queueMs: timeouts.queueMs,
      connectMs: timeouts.connectMs,
      responseMs: timeouts.responseMs,
      tryMs: mayCut ? retry.perTryTimeoutMs || timeouts.responseMs / 2 : 0,
      idleMs: timeouts.idleMs,
    },
    hedge: hedge === null || !isHedgeable ? null : { ...hedge },
    maxQueue: limits.maxQueue,
    priority: route.priority,
  };
}
