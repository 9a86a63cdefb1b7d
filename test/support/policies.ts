// Policies of a Runtime for tests: nothing is shed, nothing is logged, and no plugin is loaded. Thread: both.

import { ClientMemory } from '../../core/memory/client-memory.ts';
import type { PolicyServices } from '../../core/policy/policy-definition.ts';
import type { Logger } from '../../core/log.ts';
import { systemTimers } from '../../core/timers.ts';
import { matchesPassword } from '../../proxy/policies/passwords/password-hash.ts';
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

/** Services of a worker; memory about clients is allocated when a policy uses it. */
export function policyServices(): PolicyServices {
  let memory: ClientMemory | undefined;
  const clients = (): ClientMemory => (memory ??= ClientMemory.allocate(1, [1, 2]));
  return {
    mustShed: () => false,
    pressure: () => 0,
    passwords: {
      isFull: false,
      verify: (password, stored) => Promise.resolve(matchesPassword(password, stored)),
    },
    grpcCalls: { ended: () => undefined },
    tracer: { begin: () => '', ended: () => undefined },
    mirrors() {
      throw new Error('no mirrors on this bench');
    },
    timers: systemTimers,
    nowMs: () => performance.now(),
    get clients() {
      return clients();
    },
    get counts() {
      return clients().countsOf(0);
    },
  };
}

export function policyParts(more: Partial<RuntimePoliciesParts> = {}): RuntimePoliciesParts {
  return {
    worker: 0,
    log: NO_LOG,
    services: policyServices(),
    watch: new PolicyWatch({ log: NO_LOG, nowMs: () => 0, count: () => undefined }),
    pluginPolicies: new Map(),
    ...more,
  };
}
