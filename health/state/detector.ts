// Detectors: the closed list of sources of a state change, for the log, the metrics, the recorder and `why`.
// Thread: main.

/** Descriptions. */
export const DETECTORS = {
  operator: 'the operator, over the admin API',
  agent: 'the endpoint itself, in the field X-Fairlead-Agent of a heartbeat',
  heartbeat: 'a heartbeat',
  firstFailure: 'a first hard failure of live traffic',
  consecutiveFailures: 'consecutive failures of live traffic, over all workers',
  outlierTest: 'the comparison with the other endpoints',
  trial: 'the live request that tests a half-open endpoint',
  timer: 'the expiry of a period',
  lastResort: 'the lack of any other endpoint',
  reload: 'a changed configuration',
  restart: 'the state that was saved before a restart',
  discovery: 'the lookup of its host name',
} as const;
export type Detector = keyof typeof DETECTORS;

/** Why a state changed. */
export interface Because {
  readonly detector: Detector;
  /** The reason as text. */
  readonly cause: string;
}
