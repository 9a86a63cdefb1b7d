// Endpoints in the Snapshot. Thread: both.

export interface EndpointSnapshot {
  /** `upstream/host:port`: how operators name it. */
  readonly name: string;
  /** `host:port` or the socket's path: what hashing sorts by. */
  readonly id: string;
  readonly slot: number;
  /** Generation of the slot, so that a late event of an earlier owner is told apart. */
  readonly generation: number;
  readonly protocol: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** Of a Unix socket; '' for TCP. */
  readonly socketPath: string;
  readonly weight: number;
  readonly backup: boolean;
}
