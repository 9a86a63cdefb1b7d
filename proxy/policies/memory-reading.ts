// Memory of this thread: reading its use, and collecting garbage. Thread: worker.

import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Memory of one thread, in bytes. */
export interface MemoryReading {
  /** JavaScript heap. */
  readonly heapBytes: number;
  /** Size of the heap at which V8 ends the thread. */
  readonly heapLimitBytes: number;
  /** Buffers and other memory outside the heap that it refers to. */
  readonly externalBytes: number;
}

/** Reads the memory in about a microsecond. Garbage counts until it is collected. */
export function readMemory(): MemoryReading {
  const {
    used_heap_size: heapBytes,
    heap_size_limit: heapLimitBytes,
    external_memory: externalBytes,
  } = getHeapStatistics();
  return { heapBytes, heapLimitBytes, externalBytes };
}

/** Collects garbage now, and blocks the thread meanwhile: a last resort. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
}
