// How long tests wait, scaled to the machine. Thread: main.

/** Measured by the runner (scripts/run-tests-patience.ts): 1 on a quiet machine; more on a slow or busy one. 1, too, without it. */
const PATIENCE = Math.max(1, Number(process.env['FAIRLEAD_TEST_PATIENCE'] ?? 1) || 1);

/** A limit that holds on a quiet machine, in milliseconds, as it holds on this one. */
export function patientMs(limitMs: number): number {
  return limitMs * PATIENCE;
}
