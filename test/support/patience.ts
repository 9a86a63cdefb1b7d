// Timeouts of tests, scaled to the machine. Thread: main.

/** Measured by the runner: 1 on a quiet machine, more on a slow or busy one; 1 without the runner. */
const PATIENCE = Math.max(1, Number(process.env['FAIRLEAD_TEST_PATIENCE'] ?? 1) || 1);

/** Scales a timeout for a quiet machine, in milliseconds, to this one. */
export function patientMs(limitMs: number): number {
  return limitMs * PATIENCE;
}
