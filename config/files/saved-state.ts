// State file over a restart: operator requests, check results and ejections of endpoints, maintenance of routes and
// upstreams, and weights of splits. Thread: main.

import { z } from 'zod';
import { RETRY_AFTER_S } from '../../core/snapshot/maintenance.ts';

export const SAVED_VERSION = 1;
/** Longest accepted name of an upstream or endpoint. */
const LONGEST_NAME = 2_048;

const savedEndpoint = z.object({
  upstream: z.string().max(LONGEST_NAME),
  /** Address of the endpoint. */
  endpoint: z.string().max(LONGEST_NAME),
  /** State requested by the operator. */
  admin: z.enum(['ready', 'drain', 'maintenance']),
  /** The operator's weight, and the configured weight that it replaced; null if none was set. */
  weight: z.object({ set: z.int().min(1).max(256), configured: z.int() }).nullable(),
  check: z.enum(['unknown', 'up', 'down']),
  /** `until`: wall-clock ms. */
  ejection: z.object({ until: z.number(), inRow: z.int().min(1).max(1_000) }).nullable(),
});

const savedHealth = z.object({
  version: z.literal(SAVED_VERSION),
  /** Wall-clock ms. */
  savedAt: z.number(),
  endpoints: z.array(savedEndpoint),
});

const savedMaintenance = z.object({
  of: z.enum(['route', 'upstream']),
  name: z.string().max(LONGEST_NAME),
  retryAfterS: z.int().min(RETRY_AFTER_S.least).max(RETRY_AFTER_S.most),
  /** Wall-clock ms. */
  at: z.number(),
  by: z.string(),
});

const savedSplitWeight = z.object({
  route: z.string().max(LONGEST_NAME),
  upstream: z.string().max(LONGEST_NAME),
  weight: z.int().min(0),
  /** The configured weight that it replaced. */
  configured: z.int().min(0),
});

const savedAddedEndpoint = z.object({
  upstream: z.string().max(LONGEST_NAME),
  protocol: z.enum(['http', 'https', 'tcp', 'tls']),
  host: z.string().max(LONGEST_NAME),
  port: z.int().min(0).max(65_535),
  socketPath: z.string().max(LONGEST_NAME),
  weight: z.int().min(1).max(256),
  backup: z.boolean(),
  zone: z.string(),
  metadata: z.record(z.string(), z.string()).default({}),
});

const savedState = savedHealth.extend({
  inMaintenance: z.array(savedMaintenance).default([]),
  splitWeights: z.array(savedSplitWeight).default([]),
  addedEndpoints: z.array(savedAddedEndpoint).default([]),
});

export type SavedMaintenance = z.output<typeof savedMaintenance>;
export type SavedSplitWeight = z.output<typeof savedSplitWeight>;
export type SavedAddedEndpoint = z.output<typeof savedAddedEndpoint>;
export type SavedState = z.output<typeof savedState>;
export type SavedEndpoint = z.output<typeof savedEndpoint>;
export type SavedHealth = z.output<typeof savedHealth>;

/** @throws Error that describes the fault of the text */
export function parseSavedState(text: string): SavedState {
  const parsed = savedState.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'content' : issue.path.join('.');
  throw new Error(`${where}: ${issue?.message ?? 'unexpected content'}`);
}
