// Compiles what the process protects itself by. Thread: main.

import os from 'node:os';
import type { OverloadSnapshot } from '../../core/snapshot/snapshot.ts';
import type { OverloadConfig } from '../schema/schema-overload.ts';

/** The rest is for the system, for main, and for what no heap counts: code, stacks, sockets. */
const AUTO_SHARE = 0.7;

/** @param availableBytes what the process may have */
export function compileOverload(
  overload: OverloadConfig,
  availableBytes: number = availableMemory(),
): OverloadSnapshot {
  const { memory, requests, eventLoopLag, replayBuffers } = overload;
  return {
    memoryBytes: memory === 'auto' ? Math.floor(AUTO_SHARE * availableBytes) : memory,
    requests,
    eventLoopLagMs: eventLoopLag,
    replayBytes: replayBuffers,
  };
}

/** Of the control group where there is one, else of the machine. */
function availableMemory(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, os.totalmem()) : os.totalmem();
}
