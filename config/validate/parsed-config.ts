// Partially parsed configuration: parts that fit the schema are validated even if others don't, so that one run reports
// every problem. Thread: main.

import type { Config } from '../schema/schema.ts';
import { configSchema, currentUpstreamSchema } from '../schema/schema.ts';
import { listener, type ListenerConfig } from '../schema/schema-listeners.ts';
import { route, type RouteConfig } from '../schema/schema-routes.ts';
import type { UpstreamConfig } from '../schema/schema-upstreams.ts';
import type { Finding, KeyPath } from '../problems/problem.ts';
import type { ReferencedFiles } from '../files/referenced-files.ts';
import type { Environment } from '../yaml/environment.ts';
import type { SourceTree } from '../yaml/source-tree.ts';

/** The parts of a configuration; null for a part that doesn't fit the schema. */
export interface PartialConfig {
  readonly listeners: readonly (ListenerConfig | null)[];
  readonly routes: readonly (RouteConfig | null)[];
  readonly upstreams: ReadonlyMap<string, UpstreamConfig | null>;
  /** '' for none, null for one that doesn't fit the schema. */
  readonly zone: Config['zone'] | null;
  readonly limits: Config['limits'] | null;
  readonly admin: Config['admin'] | null;
  readonly accessLog: Config['accessLog'] | null;
  readonly tracing: Config['tracing'] | null;
  readonly register: Config['register'] | null;
  readonly health: Config['health'] | null;
}

/** Input of the checks. */
export interface CheckContext {
  readonly config: PartialConfig;
  /** The values as written: distinguishes given values from defaults. */
  readonly tree: SourceTree;
  readonly files: ReferencedFiles;
  readonly directory: string;
  readonly environment: Environment;
  /** Time of the check in ms since 1970. */
  readonly wallMs: number;
  /** Whether the file of a value is readable by every user of the machine. */
  readonly isWorldReadable: (path: KeyPath) => boolean;
  report(finding: Finding): void;
}

/** The parts of a configuration that fits the schema. */
export function partsOf(config: Config): PartialConfig {
  const { listeners, routes, zone, limits, admin, accessLog, tracing, register, health } = config;
  const upstreams = new Map(Object.entries(config.upstreams));
  return { listeners, routes, zone, limits, admin, accessLog, tracing, register, health, upstreams };
}

/** The valid parts of a configuration that doesn't fit the schema as a whole. */
export function salvage(root: unknown): PartialConfig {
  const raw = (typeof root === 'object' && root !== null && !Array.isArray(root) ? root : {}) as Record<
    string,
    unknown
  >;
  const { shape } = configSchema();
  const upstream = currentUpstreamSchema();
  return {
    listeners: listOf(raw['listeners']).map((item) => listener.safeParse(item).data ?? null),
    routes: listOf(raw['routes']).map((item) => route.safeParse(item).data ?? null),
    upstreams: new Map(mappingOf(raw['upstreams']).map(([key, item]) => [key, upstream.safeParse(item).data ?? null])),
    zone: shape.zone.safeParse(raw['zone']).data ?? null,
    limits: shape.limits.safeParse(raw['limits']).data ?? null,
    admin: shape.admin.safeParse(raw['admin']).data ?? null,
    accessLog: shape.accessLog.safeParse(raw['accessLog']).data ?? null,
    tracing: shape.tracing.safeParse(raw['tracing']).data ?? null,
    register: shape.register.safeParse(raw['register']).data ?? null,
    health: shape.health.safeParse(raw['health']).data ?? null,
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function mappingOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}
