// The shared services that placement uses in one worker. Thread: worker.

import type { Clock } from '../../core/clock.ts';
import type { Region } from '../../core/memory/region.ts';
import type { Random } from '../../core/random.ts';
import type { TimerWheel } from '../../core/timer-wheel.ts';
import type { WorkerLanes } from '../account/lane.ts';

export interface PlacementContext {
  readonly region: Region;
  readonly worker: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimerWheel;
  readonly lanes: WorkerLanes;
  /** Workers of the process. */
  readonly workerCount: () => number;
}
