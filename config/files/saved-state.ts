// The file that keeps the state of endpoints over a restart: what the operator asked for, what heartbeats found, and
// ejections. Thread: main.

import { z } from 'zod';

export const SAVED_VERSION = 1;
/** Longest name that is taken: of an upstream or an endpoint. */
const LONGEST_NAME = 2_048;

const savedEndpoint = z.object({
  upstream: z.string().max(LONGEST_NAME),
  /** Its address. */
  endpoint: z.string().max(LONGEST_NAME),
  /** What the operator wants. */
  admin: z.enum(['ready', 'drain', 'maintenance']),
  /** The operator's weight, and the configured one that it took the place of; null where there is none. */
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

export type SavedEndpoint = z.output<typeof savedEndpoint>;
export type SavedHealth = z.output<typeof savedHealth>;

/** @throws Error that says what is wrong with the text */
export function parseSavedHealth(text: string): SavedHealth {
  const parsed = savedHealth.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not what was written'}`);
}
