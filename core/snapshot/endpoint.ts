// Endpoints in the Snapshot. Thread: both.

export interface EndpointSnapshot {
  /** `upstream/host:port`: the name that operators use. */
  readonly name: string;
  /** `host:port` or socket path; the order in which hashing fills its table. */
  readonly id: string;
  readonly slot: number;
  /** Generation of the slot: distinguishes late events of an earlier owner. */
  readonly generation: number;
  /** `tcp` and `tls` serve TCP sessions; a Unix socket is `http`, whatever it serves. */
  readonly protocol: 'http' | 'https' | 'tcp' | 'tls';
  readonly host: string;
  readonly port: number;
  /** Path of a Unix socket; '' for TCP. */
  readonly socketPath: string;
  readonly weight: number;
  readonly backup: boolean;
  /** Its origin: `config`, `api`, or the name of a discovery source. */
  readonly source: string;
  /** The same with its subject, for operators: `configured`, `api`, `dns:api.internal:3000`, `file:/etc/endpoints.yaml`. */
  readonly origin: string;
  /** Its place, such as an availability zone; '' where none is known. */
  readonly zone: string;
  /** Further labels that its origin gives it, for operators. */
  readonly metadata: Readonly<Record<string, string>>;
}
