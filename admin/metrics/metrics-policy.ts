// Metrics of policies: requests that they let pass or answered, and what went wrong in them. Thread: main.

import type { PolicyField } from '../../core/memory/lane-fields.ts';
import type { PolicySnapshot } from '../../core/snapshot/policy.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import { METRIC_PREFIX, type MetricFamily, type MetricSample, type Scrape } from './metric-family.ts';

/** The policies of a configuration, each name once: workers count all places of use together. */
function policiesOf({ listeners, routes, upstreams }: Snapshot): readonly PolicySnapshot[] {
  const byName = new Map<string, PolicySnapshot>();
  for (const { policies } of [...listeners, ...routes, ...upstreams]) {
    for (const policy of policies) byName.set(policy.name, policy);
  }
  return [...byName.values()];
}

/** Names are looked up once a Snapshot: there may be thousands of routes. */
const known = new WeakMap<Snapshot, readonly PolicySnapshot[]>();

function policiesIn(snapshot: Snapshot): readonly PolicySnapshot[] {
  let policies = known.get(snapshot);
  if (policies === undefined) known.set(snapshot, (policies = policiesOf(snapshot)));
  return policies;
}

const VERDICTS: readonly PolicyField[] = ['allowed', 'refused'];

function collectVerdicts({ snapshot, sums }: Scrape): MetricSample[] {
  const judging = policiesIn(snapshot).filter(({ needs }) => needs.includes('reply'));
  return judging.flatMap(({ name, index }) =>
    VERDICTS.map((verdict) => ({ labels: { policy: name, verdict }, value: sums.policy(index, verdict) })),
  );
}

const DIRECTIONS = { in: 'bodyBytesIn', out: 'bodyBytesOut' } as const satisfies Record<string, PolicyField>;

function transformingIn(snapshot: Snapshot): readonly PolicySnapshot[] {
  return policiesIn(snapshot).filter(({ needs }) => needs.includes('transform-response-body'));
}

function collectBodyBytes({ snapshot, sums }: Scrape): MetricSample[] {
  return transformingIn(snapshot).flatMap(({ name, index }) =>
    Object.entries(DIRECTIONS).map(([direction, field]) => ({
      labels: { policy: name, direction },
      value: sums.policy(index, field),
    })),
  );
}

function collectBodies({ snapshot, sums }: Scrape): MetricSample[] {
  return transformingIn(snapshot).map(({ name, index }) => ({
    labels: { policy: name },
    value: sums.policy(index, 'bodies'),
  }));
}

function counter(field: PolicyField, name: string, help: string, divisor = 1): MetricFamily {
  const collect = ({ snapshot, sums }: Scrape): MetricSample[] =>
    policiesIn(snapshot).map((policy) => ({
      labels: { policy: policy.name },
      value: sums.policy(policy.index, field) / divisor,
    }));
  return {
    name: `${METRIC_PREFIX}policy_${name}`,
    help,
    type: 'counter',
    scope: 'policy',
    labels: ['policy'],
    collect,
  };
}

export const POLICY_METRICS: readonly MetricFamily[] = [
  {
    name: `${METRIC_PREFIX}policy_requests_total`,
    help: 'Requests that a policy let pass (allowed) or answered itself (refused).',
    type: 'counter',
    scope: 'policy',
    labels: ['policy', 'verdict'],
    collect: collectVerdicts,
  },
  counter(
    'reported',
    'reported_total',
    'Requests that a policy would have refused, and let pass because it only reports.',
  ),
  counter('calls', 'calls_total', 'Calls of other services by a policy.'),
  counter('callFailures', 'call_failures_total', 'Calls of other services by a policy that led to no decision.'),
  counter('callMs', 'call_seconds_total', 'Time that calls of other services by a policy took.', 1000),
  counter('errors', 'errors_total', 'Hooks of a policy that threw, or whose promise was rejected.'),
  {
    name: `${METRIC_PREFIX}policy_transformed_bodies_total`,
    help: 'Response bodies that passed a transform of a policy, such as compression, whole or in part.',
    type: 'counter',
    scope: 'policy',
    labels: ['policy'],
    collect: collectBodies,
  },
  {
    name: `${METRIC_PREFIX}policy_transformed_bytes_total`,
    help: 'Bytes of these bodies before (in) and after (out) the transform.',
    type: 'counter',
    scope: 'policy',
    labels: ['policy', 'direction'],
    collect: collectBodyBytes,
  },
  counter('overruns', 'overruns_total', 'Hooks of a policy that took longer than their budget.'),
];
