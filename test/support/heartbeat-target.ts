// Targets of real heartbeats, and a function that runs one. Thread: main.

import { BoundSocket } from 'node:net';
import type { TestContext } from 'node:test';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { HeartbeatSnapshot } from '../../core/snapshot/health.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import type { CheckerDescriptor, HeartbeatResult, HeartbeatTarget } from '../../health/checkers/checker.ts';
import { HEARTBEAT } from './health-bench.ts';
import { endpointSnapshot, upstreamSnapshot } from './snapshots.ts';

export function targetAt(
  endpoint: Partial<EndpointSnapshot>,
  heartbeat: Partial<HeartbeatSnapshot> = {},
  tls: Partial<UpstreamSnapshot['tls']> = {},
): HeartbeatTarget {
  const upstream = upstreamSnapshot();
  return {
    endpoint: endpointSnapshot(0, endpoint),
    upstream: { ...upstream, tls: { ...upstream.tls, ...tls } },
    heartbeat: { ...HEARTBEAT, ...heartbeat },
  };
}

/** Runs one heartbeat and returns its result. */
export function resultOf(checker: CheckerDescriptor, target: HeartbeatTarget): Promise<HeartbeatResult> {
  return new Promise((resolve) => void checker.run(target, resolve));
}

/** A loopback port that refuses connections during the test: bound, but not listening. */
export function refusingPort(t: Pick<TestContext, 'after'>): number {
  const held = new BoundSocket({ host: '127.0.0.1', port: 0 });
  t.after(() => held.close());
  return held.address().port!;
}
