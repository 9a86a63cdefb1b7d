// Contract of mirroring: copies of requests that a worker sends to another upstream, beside the requests of clients.
// Thread: both.

/** Reasons for which a request of the sample isn't mirrored. */
export type MirrorDrop = 'busy' | 'body-too-large' | 'no-memory' | 'overload' | 'unfinished';

/** A copy that is about to be sent. */
export interface MirrorCopy {
  /** Name of the upstream that gets it. */
  readonly upstream: string;
  /** The whole body; empty for none. */
  readonly chunks: readonly Uint8Array[];
  readonly sizeBytes: number;
  /** Longest time until its response has ended, in ms. */
  readonly timeoutMs: number;
  /** The copy is over: its body is no longer used. Called once. */
  released(): void;
}

/** Sends mirrored requests. Nothing here throws, waits, or has an effect on the exchange that is copied. */
export interface MirrorService {
  /** Whether this worker has fewer than `most` mirrored requests to the upstream in flight. */
  hasRoom(upstream: string, most: number): boolean;
  /** Takes memory for bytes of a body, of what bodies for retries have too. Returns false where none is left. */
  reserve(sizeBytes: number): boolean;
  release(sizeBytes: number): void;
  /** Sends a copy of the request of an exchange, which may end after this call. */
  send(exchange: object, copy: MirrorCopy): void;
  /** Counts a request of the sample that is not mirrored. */
  dropped(upstream: string, cause: MirrorDrop): void;
}
