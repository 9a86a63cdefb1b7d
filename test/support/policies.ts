// Policies of a Runtime for tests: nothing is shed, nothing is logged, and no plugin is loaded. Thread: both.

import type { Logger } from '../../core/log.ts';
import { systemTimers } from '../../core/timers.ts';
import type { RuntimePoliciesParts } from '../../proxy/policies/runtime-policies.ts';
import { PolicyWatch } from '../../proxy/policies/policy-watch.ts';

/** Keeps nothing, so that tests can measure memory. */
const NO_LOG: Logger = {
  isDebugEnabled: false,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export function policyParts(more: Partial<RuntimePoliciesParts> = {}): RuntimePoliciesParts {
  return {
    worker: 0,
    log: NO_LOG,
    services: { mustShed: () => false, pressure: () => 0, timers: systemTimers, nowMs: () => performance.now() },
    watch: new PolicyWatch({ log: NO_LOG, nowMs: () => 0, count: () => undefined }),
    pluginPolicies: new Map(),
    ...more,
  };
}
