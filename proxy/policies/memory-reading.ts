// How much memory this thread uses, and giving back what is no longer used. Thread: worker.

import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Of one thread, in bytes. */
export interface MemoryReading {
  /** JavaScript heap. */
  readonly heapBytes: number;
  /** What the heap may grow to before V8 ends the thread. */
  readonly heapLimitBytes: number;
  /** Buffers and whatever else the heap holds outside of itself. */
  readonly externalBytes: number;
}

/** Costs about a microsecond. What nobody uses any more counts until it is collected. */
export function readMemory(): MemoryReading {
  const {
    used_heap_size: heapBytes,
    heap_size_limit: heapLimitBytes,
    external_memory: externalBytes,
  } = getHeapStatistics();
  return { heapBytes, heapLimitBytes, externalBytes };
}

/** Collects garbage now. The thread stands still meanwhile: for a last resort, not for routine. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
}
