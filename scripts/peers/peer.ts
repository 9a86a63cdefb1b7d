// A reverse proxy as benchmarks and chaos runs start it: found, configured, pinned, awaited, stopped. Thread: main.

/** Where a peer runs. */
export interface PeerPlace {
  /** For its configuration and logs. */
  readonly folder: string;
  /** Cores for taskset, as in 0 or 0,1. */
  readonly cores: string;
  /** Threads, worker processes or GOMAXPROCS. */
  readonly workers: number;
}

/** A peer that serves. */
export interface RunningPeer {
  readonly port: number;
  /** Root of the process tree that does the work. */
  readonly pid: number;
  stop(): Promise<void>;
}

/** One file of this folder for each. The configuration belongs to the caller: it decides what is compared. */
export interface Peer {
  readonly name: string;
  readonly title: string;
  /** Command that installs it. */
  readonly install: string;
  /** Its version; null where it is not installed. */
  version(): string | null;
  /**
   * Starts it and waits until it accepts connections.
   * @param configuration returns the text of its configuration file for the port to listen on
   * @throws Error with the last line of its output when it does not start
   */
  start(place: PeerPlace, configuration: (port: number) => string): Promise<RunningPeer>;
}
