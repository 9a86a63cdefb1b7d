// Arguments of `fairlead rollout`, parsed. Pure. Thread: main.

import { parseDuration } from '../../../config/values/duration.ts';
import { endpointId, parseEndpointAddress } from '../../../config/values/endpoint-address.ts';
import type { AdminOptions } from '../live/admin-target.ts';
import { UsageError } from '../live/run-live-command.ts';

export interface RolloutOptions extends AdminOptions {
  readonly old: string;
  readonly new: string;
  readonly start?: string;
  readonly stop?: string;
  readonly rollback?: string;
  /** Durations with their units. */
  readonly timeout: string;
  readonly drainTimeout?: string;
  readonly discovered?: boolean;
  readonly json?: boolean;
}

export interface RolloutPlan {
  readonly upstream: string;
  /** Addresses of the endpoints. */
  readonly old: string;
  readonly new: string;
  /** URL of the new endpoint; null where the scheme follows from the upstream. */
  readonly url: string | null;
  /** Shell commands; '' for none. */
  readonly start: string;
  readonly stop: string;
  readonly rollback: string;
  readonly timeoutMs: number;
  /** Infinity waits until the old endpoint is idle. */
  readonly drainTimeoutMs: number;
  /** Whether a source of the upstream adds the new endpoint. */
  readonly isDiscovered: boolean;
}

/** @throws UsageError */
export function parsePlan(upstream: string, options: RolloutOptions): RolloutPlan {
  const { start = '', stop = '', rollback = '', discovered = false, drainTimeout } = options;
  const [old, next] = [addressOf('old', options.old), addressOf('new', options.new)];
  if (old === next)
    throw new UsageError(`--old and --new are both ${old}: the new process needs an address of its own`);
  const isUrl = schemeOf(options.new) !== null;
  return {
    upstream,
    old,
    new: next,
    url: isUrl ? options.new : null,
    start,
    stop,
    rollback,
    timeoutMs: durationOf('timeout', options.timeout),
    drainTimeoutMs: drainTimeout === undefined ? Number.POSITIVE_INFINITY : durationOf('drain-timeout', drainTimeout),
    isDiscovered: discovered,
  };
}

/** The address of an endpoint in the admin API, from a URL or `host:port`. @throws UsageError */
function addressOf(option: 'old' | 'new', text: string): string {
  const parsed = parseEndpointAddress(schemeOf(text) === null ? `http://${text}` : text);
  if (!parsed.ok) throw new UsageError(`--${option}: ${parsed.message}`);
  if (schemeOf(text) === null && !/:\d+$/.test(text)) {
    throw new UsageError(`--${option} "${text}" has no port: write host:port, such as 10.0.0.1:3000`);
  }
  return endpointId(parsed.value);
}

/** Null for a plain `host:port`. */
function schemeOf(text: string): string | null {
  return /^(?:unix:|[a-z]+:\/\/)/i.exec(text)?.[0] ?? null;
}

function durationOf(option: 'timeout' | 'drain-timeout', text: string): number {
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new UsageError(`--${option}: ${parsed.message}`);
  if (parsed.value === 0) throw new UsageError(`--${option} must be longer than 0, such as 60s`);
  return parsed.value;
}
