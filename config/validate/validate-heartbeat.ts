// Checks of an upstream's heartbeat. Thread: main.

import { checkerNamed } from '../../health/checkers/checkers.ts';
import { formatDuration } from '../values/duration.ts';
import { quoted } from '../values/parsed.ts';
import { checkerShapes, type HeartbeatConfig } from '../schema/schema-heartbeat.ts';
import { hasTcpEndpoints } from './tcp-mode.ts';
import type { UpstreamCheck } from './upstream-check.ts';

const PATH = ['health', 'heartbeat'];

export function checkHeartbeat(check: UpstreamCheck): void {
  const { heartbeat } = check.upstream.health;
  if (heartbeat === undefined) {
    const isTcp = hasTcpEndpoints(check.upstream);
    const example = isTcp ? '{ type: tcp }' : '{ path: /healthz }';
    const advice = `add health: { heartbeat: ${example} }, or heartbeat: false to confirm that none is wanted`;
    const message = `this upstream has no heartbeat, so only failing ${isTcp ? 'sessions' : 'requests'} reveal that an endpoint is down: ${advice}`;
    check.report('FL9003', message, [], 'key');
  } else if (heartbeat !== false) {
    checkKind(check, heartbeat);
    checkTimes(check, heartbeat);
    check.reportOptions(checkerNamed(heartbeat.type).check?.(heartbeat, check.upstream) ?? [], PATH);
  }
}

function checkKind(check: UpstreamCheck, heartbeat: HeartbeatConfig): void {
  const shapes = checkerShapes();
  const own = new Set(Object.keys(shapes.get(heartbeat.type)!));
  for (const key of new Set([...shapes.values()].flatMap(Object.keys))) {
    if (own.has(key) || !check.isGiven([...PATH, key])) continue;
    const types = [...shapes].filter(([, shape]) => key in shape).map(([name]) => name);
    check.reportMisplaced([...PATH, key], `with type: ${heartbeat.type}: it is an option of ${types.join(' and ')}`);
  }
  if (heartbeat.port !== undefined && check.upstream.endpoints.some(({ url }) => url.socketPath !== '')) {
    check.reportMisplaced([...PATH, 'port'], 'here: an endpoint of this upstream is a Unix socket');
  }
}

/** Written times must not exceed the interval; defaults are reduced to it. */
function checkTimes(check: UpstreamCheck, heartbeat: HeartbeatConfig): void {
  for (const key of ['timeout', 'fastInterval'] as const) {
    const path = [...PATH, key];
    if (heartbeat[key] <= heartbeat.interval || !check.isGiven(path)) continue;
    const interval = formatDuration(heartbeat.interval);
    const message = `${quoted(key)} is ${formatDuration(heartbeat[key])}, longer than the interval of ${interval}: it must be at most the interval`;
    check.report('FL3008', message, path);
  }
}
