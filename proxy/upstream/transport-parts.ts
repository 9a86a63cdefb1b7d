// The worker objects that every transport is made with. Thread: worker.

import type { Region } from '../../core/memory/region.ts';
import type { Timers } from '../../core/timers.ts';
import type { OnFault } from './fault-log.ts';
import type { OnIdleDeath } from './idle-deaths.ts';

export interface TransportParts {
  readonly region: Region;
  /** Index of the worker, whose lane is counted in. */
  readonly worker: number;
  readonly timers: Timers;
  readonly onIdleDeath: OnIdleDeath;
  readonly onFault: OnFault;
}
