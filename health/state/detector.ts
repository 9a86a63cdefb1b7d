// Detectors: the closed list of sources of a state change, for the log, the metrics, the recorder and `why`.
// Thread: main.

/** What each of them is. */
export const DETECTORS = {
  operator: 'the operator, over the admin API',
  agent: 'the endpoint itself, in the field X-Fairlead-Agent of a heartbeat',
  heartbeat: 'a heartbeat',
  firstFailure: 'a first hard failure of live traffic',
  consecutiveFailures: 'failures of live traffic in a row, over all workers',
  outlierTest: 'the comparison with the other endpoints',
  trial: 'the live request that decides a half-open endpoint',
  timer: 'time that has passed',
  lastResort: 'the want of any other endpoint',
  reload: 'a changed configuration',
  restart: 'what was known before the process was started anew',
  discovery: 'the lookup of its host name',
} as const;
export type Detector = keyof typeof DETECTORS;

/** Why a state changed. */
export interface Because {
  readonly detector: Detector;
  /** As text. */
  readonly cause: string;
}
