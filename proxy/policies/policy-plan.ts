// Plan: the policies of one listener, route and upstream, composed once per Runtime. Each phase has a list of entries, or
// null where no policy acts in it, which costs one comparison per request. Thread: both.

import type { Policy } from '../../core/policy/policy.ts';
import type { PolicyScope } from '../../core/policy/policy-definition.ts';
import { POLICY_STAGES, type PolicyNeed, type PolicyStage } from '../../core/policy/policy-stage.ts';
import type { ConstantEdits } from './field-editor.ts';
import { RemovedNames } from './removed-names.ts';

/** A policy that was created for one place of use. */
export interface LivePolicy {
  readonly name: string;
  readonly policy: Policy;
  /** Index of its block in the lanes. */
  readonly lane: number;
  readonly scope: PolicyScope;
  readonly stage: PolicyStage;
  readonly needs: readonly PolicyNeed[];
  readonly budgetMs: number;
  readonly waitMs: number;
  /** Whether its calls are timed: policies of plugins. */
  readonly isTimed: boolean;
}

/** A live policy in a plan. */
export interface PlanEntry extends LivePolicy {
  /** Place of its memo among those of the exchange. */
  readonly memo: number;
  readonly mayReply: boolean;
  readonly mayWait: boolean;
}

export type PlanPhase = readonly PlanEntry[] | null;

export interface PolicyPlan {
  readonly request: PlanPhase;
  readonly placed: PlanPhase;
  readonly response: PlanPhase;
  readonly localReply: PlanPhase;
  readonly requestBody: PlanPhase;
  readonly responseBody: PlanPhase;
  readonly end: PlanPhase;
  readonly requestFields: ConstantEdits;
  readonly responseFields: ConstantEdits;
  /** Whether a policy changes response bodies, at all and chunk by chunk. */
  readonly changesResponseBody: boolean;
  readonly changesResponseChunks: boolean;
  /** All entries in the order of requests. */
  readonly entries: readonly PlanEntry[];
}

const SCOPES: readonly PolicyScope[] = ['listener', 'route', 'upstream'];

/**
 * Composes a plan. Requests meet policies by stage, within a stage by scope (listener, route, upstream), then in the
 * given order; responses and local replies meet them in reverse.
 */
export function composePlan(policies: readonly LivePolicy[]): PolicyPlan {
  const ordered = policies.toSorted((a, b) => rankOf(a) - rankOf(b));
  const entries = ordered.map((live, memo): PlanEntry => {
    return { ...live, memo, mayReply: live.needs.includes('reply'), mayWait: live.needs.includes('wait') };
  });
  const reversed = entries.toReversed();
  const reads = (body: 'request' | 'response') => (entry: PlanEntry) =>
    entry.policy.onBodyChunk !== undefined &&
    (entry.needs.includes(`read-${body}-body`) ||
      (body === 'response' && entry.needs.includes('change-response-body')));
  return {
    request: phase(entries, ({ policy }) => policy.onRequest !== undefined),
    placed: phase(entries, ({ policy }) => policy.onPlaced !== undefined),
    response: phase(reversed, ({ policy }) => policy.onResponse !== undefined),
    localReply: phase(reversed, ({ policy }) => policy.onLocalReply !== undefined),
    requestBody: phase(entries, reads('request')),
    responseBody: phase(reversed, (entry) => reads('response')(entry) || transforms(entry)),
    end: phase(reversed, ({ policy }) => policy.onEnd !== undefined),
    requestFields: mergeEdits(entries.map(({ policy }) => policy.requestFields)),
    responseFields: mergeEdits(reversed.map(({ policy }) => policy.responseFields)),
    changesResponseBody: entries.some((entry) => changesChunks(entry) || transforms(entry)),
    changesResponseChunks: entries.some(changesChunks),
    entries,
  };
}

function rankOf({ stage, scope }: LivePolicy): number {
  return POLICY_STAGES.indexOf(stage) * SCOPES.length + SCOPES.indexOf(scope);
}

const changesChunks = ({ needs }: PlanEntry): boolean => needs.includes('change-response-body');
const transforms = ({ needs }: PlanEntry): boolean => needs.includes('transform-response-body');

function phase(entries: readonly PlanEntry[], acts: (entry: PlanEntry) => boolean): PlanPhase {
  const acting = entries.filter(acts);
  return acting.length === 0 ? null : acting;
}

/** A later edit of a name overrides an earlier one. */
function mergeEdits(edits: readonly Policy['requestFields'][]): ConstantEdits {
  const removed = new Set<string>();
  let inserted: string[] = [];
  for (const edit of edits) {
    if (edit === undefined) continue;
    const names = edit.set.filter((_, at) => at % 2 === 0);
    const edited = new Set([...edit.remove, ...names].map((name) => name.toLowerCase()));
    for (const name of edited) removed.add(name);
    inserted = inserted.filter((_, at) => !edited.has(inserted[at - (at % 2)]!.toLowerCase()));
    inserted.push(...edit.set);
  }
  return { inserted, removed: RemovedNames.of(removed) };
}
