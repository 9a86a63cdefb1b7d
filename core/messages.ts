// Messages between main and workers (postMessage). Per-request data goes through the shared region instead. Thread: both.

import type { EndpointDelta } from './endpoint-delta.ts';
import type { Signal } from './failure.ts';
import type { GrpcMethodCounts } from './grpc-calls.ts';
import type { LogLevel } from './log.ts';
import type { EndpointSnapshot } from './snapshot/endpoint.ts';
import type { SpanBatch } from './request-tracer.ts';
import type { RequestsInFlight } from './requests-in-flight.ts';
import type { CertificateSnapshot, ListenerSnapshot } from './snapshot/listener.ts';
import type { Snapshot } from './snapshot/snapshot.ts';
import type { TicketSecrets } from './ticket-secrets.ts';

/**
 * Descriptors of sockets that are already bound, by listener name. For a listener with an entry, even an empty one, the
 * worker adopts these descriptors in addition to those it has and binds nothing itself.
 */
export type HeldDescriptors = Readonly<Record<string, readonly number[]>>;

/** workerData of a starting worker. */
export interface WorkerStart {
  readonly worker: number;
  readonly region: SharedArrayBuffer;
  /** Memory about clients. */
  readonly clients: SharedArrayBuffer;
  readonly snapshot: Snapshot;
  readonly descriptors: HeldDescriptors;
  readonly ticketSecrets: TicketSecrets;
}

/** A change of endpoints without a reload. */
export interface EndpointChange {
  /** See Snapshot. */
  readonly membership: number;
  /** The complete endpoints of each upstream that has changed, by its index. */
  readonly upstreams: readonly { readonly index: number; readonly endpoints: readonly EndpointSnapshot[] }[];
}

/** The same as it is sent to workers: each change applies to what the one before has left. */
export interface MembershipDelta {
  readonly membership: number;
  readonly upstreams: readonly EndpointDelta[];
}

/** A server name that no certificate of a listener covers. */
export interface CertificateRequest {
  /** Name of the listener. */
  readonly listener: string;
  /** DNS name, lower case, as the client sent it: unchecked. */
  readonly name: string;
}

/** The certificate of a requested name, or its refusal. Replaces an earlier one. */
export interface CertificateOffer extends CertificateRequest {
  readonly certificate: CertificateSnapshot | null;
  /** Reason of the refusal; '' with a certificate. */
  readonly reason: string;
  /** Time for which the refusal holds; 0 where the name is to be requested again. */
  readonly refusedForMs: number;
}

export type MessageToWorker =
  /** Bind these listeners, which are new in the coming Snapshot, and keep their connections waiting. */
  | {
      readonly kind: 'prepare';
      readonly ticket: number;
      readonly listeners: readonly ListenerSnapshot[];
      readonly descriptors: HeldDescriptors;
    }
  /** Close the listeners that were prepared: their Snapshot was refused. */
  | { readonly kind: 'discard' }
  /** Install a Snapshot, with the listeners that were prepared for it. */
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot; readonly descriptors: HeldDescriptors }
  /** Endpoints of upstreams have changed; all else of the Snapshot stays. */
  | { readonly kind: 'endpoints'; readonly delta: MembershipDelta }
  /** Stop accepting, keep idle connections for `idleMs`, destroy what is left at the deadline. */
  | { readonly kind: 'drain'; readonly graceMs: number; readonly idleMs: number }
  | { readonly kind: 'reopen-logs' }
  | { readonly kind: 'ticket-secrets'; readonly secrets: TicketSecrets }
  /** Answers a 'certificate-request', or replaces its answer. */
  | ({ readonly kind: 'certificate-offer' } & CertificateOffer)
  /** Answer with a 'requests' of this ticket. */
  | { readonly kind: 'list-requests'; readonly ticket: number }
  /** Close idle connections to this slot, whose endpoint is down. */
  | { readonly kind: 'drop-idle'; readonly slot: number };

export type MessageToMain =
  /** Answers the 'prepare' of this ticket. */
  | ({ readonly kind: 'prepared'; readonly ticket: number } & BindOutcome)
  /** Answers a start or a 'snapshot': the revision is installed. */
  | ({ readonly kind: 'installed'; readonly revision: number } & BindOutcome)
  /** An endpoint's consecutive failures have reached the threshold of its upstream. */
  | { readonly kind: 'threshold'; readonly slot: number; readonly generation: number; readonly signal: Signal }
  /** The worker marked an endpoint suspect. */
  | { readonly kind: 'suspect'; readonly slot: number; readonly generation: number; readonly signal: Signal }
  /** A response is overdue and the endpoint answers nothing: its heartbeat decides. */
  | { readonly kind: 'silent'; readonly slot: number; readonly generation: number }
  /** An endpoint that is down has answered a live request well: its heartbeat decides. */
  | { readonly kind: 'alive'; readonly slot: number; readonly generation: number }
  /** A half-open trial has ended. */
  | { readonly kind: 'trial'; readonly slot: number; readonly generation: number; readonly ok: boolean }
  /** A handshake waits for the certificate of a name. */
  | ({ readonly kind: 'certificate-request' } & CertificateRequest)
  | { readonly kind: 'log'; readonly level: LogLevel; readonly fields: object; readonly text: string }
  /** Spans since the last message. */
  | { readonly kind: 'spans'; readonly batch: SpanBatch }
  /** gRPC calls since the last message. */
  | { readonly kind: 'grpc-calls'; readonly counts: readonly GrpcMethodCounts[] }
  /** Answers the 'list-requests' of this ticket. */
  | { readonly kind: 'requests'; readonly ticket: number; readonly list: RequestsInFlight }
  /** Open exchanges of each revision but the newest, oldest first. */
  | { readonly kind: 'open-revisions'; readonly older: readonly OpenRevision[] };

/** Open exchanges of one worker that began under a revision. */
export interface OpenRevision {
  readonly revision: number;
  readonly exchanges: number;
}

export interface BindOutcome {
  /** Addresses in the order of the listeners given; empty where one could not be bound. */
  readonly bound: readonly BoundListener[];
  readonly failure: { readonly listener: string; readonly address: string; readonly error: string } | null;
}

export interface BoundListener {
  readonly name: string;
  /** host:port or socket path. */
  readonly address: string;
  readonly port: number;
}
