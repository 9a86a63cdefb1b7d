// Stages of policies, in which their order is fixed, and the needs that they declare. Thread: both.

/** Stages in the order in which they run (docs/policies.md); those of one stage run by scope, then in file order. */
export const POLICY_STAGES = ['admit', 'authorize', 'answer', 'shape', 'forward', 'identify'] as const;
export type PolicyStage = (typeof POLICY_STAGES)[number];

/** Needs of a policy beyond reading heads and editing fields, declared so that they are known when a plan is composed. */
export const POLICY_NEEDS = [
  /** `onRequest` or `onResponse` may answer: requests are counted as allowed or refused. */
  'reply',
  /** `onRequest` may return a promise. */
  'wait',
  /** Changes path or query. */
  'change-target',
  /** Sends requests to another upstream than the route's. */
  'choose-upstream',
  'read-request-body',
  'read-response-body',
  'change-response-body',
  /** Passes response bodies through a transform, which may take its time and has back-pressure. */
  'transform-response-body',
] as const;
export type PolicyNeed = (typeof POLICY_NEEDS)[number];
