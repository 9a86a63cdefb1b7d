// Policies of a Runtime for tests: nothing is shed, nothing is logged, and no plugin is loaded. Thread: both.

import type { RuntimePoliciesParts } from '../../proxy/policies/runtime-policies.ts';
import { PolicyWatch } from '../../proxy/policies/policy-watch.ts';
import { SILENT_LOG } from './loggers.ts';

export function policyParts(more: Partial<RuntimePoliciesParts> = {}): RuntimePoliciesParts {
  return {
    worker: 0,
    log: SILENT_LOG,
    services: { mustShed: () => false },
    watch: new PolicyWatch({ log: SILENT_LOG, nowMs: () => 0, count: () => undefined }),
    pluginPolicies: new Map(),
    ...more,
  };
}
