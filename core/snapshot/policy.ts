// Policies and plugins in the Snapshot: plain data, compiled on the main thread and instantiated by workers. Thread: both.

import type { PolicyNeed, PolicyStage } from '../policy/policy-stage.ts';

/** One policy of a route, a listener or an upstream. */
export interface PolicySnapshot {
  /** Name in the registry, or as the plugin defines it. */
  readonly name: string;
  /** Index of the block in which workers count its calls; stays over reloads. */
  readonly index: number;
  readonly stage: PolicyStage;
  readonly needs: readonly PolicyNeed[];
  /** Returned by the policy's `compile`: cloneable, frozen. */
  readonly data: unknown;
}

/** A module that provides policies, balancers or log formats. Each thread loads it by itself. */
export interface PluginSnapshot {
  /** Absolute path. */
  readonly file: string;
  /** SHA-256 of the file's bytes in hex, so that a thread loads it again only after it changed. */
  readonly digest: string;
}
