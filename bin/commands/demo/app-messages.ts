// Messages between the demo and its processes. Thread: main.

/** An app server listens. */
export interface FromApp {
  readonly port: number;
}

export interface ToApp {
  readonly isSlow: boolean;
}

/** Results of the load since the last report. */
export interface LoadReport {
  readonly sent: number;
  readonly failed: number;
  readonly slowestMs: number;
  /** Responses by app server, as it names itself. */
  readonly byApp: Readonly<Record<string, number>>;
}
