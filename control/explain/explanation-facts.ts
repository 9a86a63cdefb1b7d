// State by which explanations are made. Thread: main.

import type { Origins } from '../../config/include/provided-files.ts';
import type { Clock } from '../../core/clock.ts';
import type { Region } from '../../core/memory/region.ts';
import type { Random } from '../../core/random.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { BoundPorts } from './explained-request.ts';

/** The state that would serve the request or session. */
export interface ExplainFacts {
  readonly snapshot: Snapshot;
  /** Objects that define routes of providers; null where there are none. */
  readonly origins: Origins | null;
  /** Read only. */
  readonly region: Region;
  readonly ports: BoundPorts;
  readonly clock: Clock;
  readonly random: Random;
}
