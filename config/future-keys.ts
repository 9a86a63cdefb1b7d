// Keys that the configuration will have and that this version refuses, each with what is missing. Thread: main.

import type { KeyPath } from './problem.ts';

/** By pattern: `*` stands for any name. A key leaves this table in the commit that puts it into the schema. */
export const FUTURE_KEYS: Readonly<Record<string, string>> = {
  'upstreams.*.hedge': 'hedged requests',
  'upstreams.*.sticky': 'sticky sessions',
  'upstreams.*.slowStart': 'slow start',
  'upstreams.*.whenAllDown': 'policy for when all endpoints are down (requests then get 503 at once)',
  'upstreams.*.limits.concurrency': 'adaptive limit (limits.maxConnections sets a fixed one)',
};

/** What a key will bring, as it follows "has no"; undefined for keys that are not known for later. */
export function futureKey(path: KeyPath): string | undefined {
  for (const [pattern, what] of Object.entries(FUTURE_KEYS)) {
    const steps = pattern.split('.');
    if (
      steps.length === path.length &&
      steps.every((step, index) => step === '*' || step.toLowerCase() === String(path[index]).toLowerCase())
    )
      return what;
  }
  return undefined;
}
