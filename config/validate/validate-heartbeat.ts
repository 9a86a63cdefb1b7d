// Checks of an upstream's heartbeat beyond its shape. Thread: main.

import { hasNestedRepeat } from '../values/body-pattern.ts';
import { formatDuration } from '../values/duration.ts';
import { quoted } from '../values/parsed.ts';
import type { HeartbeatConfig } from '../schema/schema-heartbeat.ts';
import type { UpstreamCheck } from './upstream-check.ts';

const PATH = ['health', 'heartbeat'];

/** Keys that a kind of heartbeat has no use for, and why. */
const MISPLACED = {
  http: { keys: ['service'], why: 'type: http: only grpc asks about one' },
  tcp: {
    keys: ['service', 'path', 'method', 'host', 'expect', 'body', 'headers', 'agent'],
    why: 'type: tcp: it only connects',
  },
  grpc: {
    keys: ['path', 'method', 'expect', 'body', 'headers'],
    why: 'type: grpc: what is sent and expected is a matter of the gRPC health protocol',
  },
} as const;

/** Fields that clients send and no endpoint answers with: whoever expects one wanted it sent. */
const REQUEST_FIELDS = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'authorization',
  'cookie',
  'host',
  'origin',
  'referer',
  'user-agent',
]);

export function checkHeartbeat(check: UpstreamCheck): void {
  const { heartbeat } = check.upstream.health;
  if (heartbeat === undefined) {
    const advice = 'add health: { heartbeat: { path: /healthz } }, or heartbeat: false to say that it is meant';
    const message = `only failing requests tell that an endpoint of this upstream is down: ${advice}`;
    check.report('FL9003', message, [], 'key');
  } else if (heartbeat !== false) {
    checkKind(check, heartbeat);
    checkTimes(check, heartbeat);
    checkExpectations(check, heartbeat);
  }
}

function checkKind(check: UpstreamCheck, heartbeat: HeartbeatConfig): void {
  const { keys, why } = MISPLACED[heartbeat.type];
  for (const key of keys) if (check.isGiven([...PATH, key])) check.reportMisplaced([...PATH, key], `beside ${why}`);
  if (heartbeat.port !== undefined && check.upstream.endpoints.some(({ url }) => url.socketPath !== '')) {
    check.reportMisplaced([...PATH, 'port'], 'here: an endpoint of this upstream is a Unix socket');
  }
}

/** Defaults follow a short interval; what is written must not contradict it. */
function checkTimes(check: UpstreamCheck, heartbeat: HeartbeatConfig): void {
  for (const key of ['timeout', 'fastInterval'] as const) {
    const path = [...PATH, key];
    if (heartbeat[key] <= heartbeat.interval || !check.isGiven(path)) continue;
    const interval = formatDuration(heartbeat.interval);
    const message = `${quoted(key)} is ${formatDuration(heartbeat[key])}, longer than the interval of ${interval}: it is at most the interval`;
    check.report('FL3008', message, path);
  }
}

function checkExpectations(check: UpstreamCheck, { body, headers, method }: HeartbeatConfig): void {
  if (body !== undefined && method === 'HEAD') {
    check.reportMisplaced([...PATH, 'body'], 'beside method: HEAD: its answer has no body');
  }
  if (body !== undefined && hasNestedRepeat(body)) {
    const message =
      'a repetition within a repetition can take very long on a body that almost matches, and all heartbeats wait meanwhile: try to do without the inner or the outer one';
    check.report('FL9010', message, [...PATH, 'body']);
  }
  for (const name of Object.keys(headers)) {
    if (!REQUEST_FIELDS.has(name.toLowerCase())) continue;
    const message = `no endpoint answers with ${quoted(name)}: headers says what an answer must carry, not what is sent`;
    check.report('FL9009', message, [...PATH, 'headers', name], 'key');
  }
}
