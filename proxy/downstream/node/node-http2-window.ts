// The receive windows of one HTTP/2 connection: small for many streams, large for a few uploads. Thread: worker.

import type { ServerHttp2Session, Settings } from 'node:http2';
import type { Duplex } from 'node:stream';

/**
 * Node acknowledges a connection's bytes as soon as they arrive, so that only the windows of its streams bound what a
 * client can make us hold. A window of 64 KiB for each of 256 streams bounds that well, but an upload then waits for a
 * window update every few reads (26 to 40 MiB/s on loopback, against more than 100). Both settings change together, so
 * that their product stays 16 MiB.
 *
 * 256 streams, not the usual 100: node:http2 counts streams that were reset in the same read as open (RFC 9113 section 5.1.2
 * doesn't), and a client with 100 streams must be able to replace them all.
 */
const MANY_STREAMS = { initialWindowSize: 65_535 } as const;
const FEW_STREAMS = { initialWindowSize: 1_048_576 } as const;
/** Streams that a connection with large windows may have open. */
const MAX_FEW = 16;
/** The window of the connection, not smaller than a stream's. */
const CONNECTION_WINDOW_BYTES = 1_048_576;

/** Bytes within a sweep interval that make an upload: several windows. */
const UPLOAD_BYTES = 262_144;
/** An uploading connection gets large windows up to so many streams, and keeps them up to a few more. */
const RAISE_STREAMS = 4;
const KEEP_STREAMS = 8;

/** The settings that a connection begins with. @param streams that it may have open */
export function initialWindowSettings(streams: number): Settings {
  return { ...MANY_STREAMS, maxConcurrentStreams: streams };
}

export class NodeHttp2Window {
  readonly #session: ServerHttp2Session;
  readonly #streams: number;
  readonly #socket: Duplex & { readonly bytesRead?: number };
  #isLarge = false;
  #bytesRead = 0;

  /** @param streams that the connection may have open */
  constructor(session: ServerHttp2Session, socket: Duplex, streams: number) {
    this.#session = session;
    this.#streams = streams;
    this.#socket = socket;
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  }

  /** Called at each sweep. */
  sweep(openStreams: number): void {
    const bytesRead = this.#socket.bytesRead ?? 0;
    const receivedBytes = bytesRead - this.#bytesRead;
    this.#bytesRead = bytesRead;
    if (this.#isLarge && (openStreams === 0 || openStreams > KEEP_STREAMS)) this.#set(false);
    else if (!this.#isLarge && openStreams > 0 && openStreams <= RAISE_STREAMS && receivedBytes >= UPLOAD_BYTES) {
      this.#set(true);
    }
  }

  onStream(openStreams: number): void {
    if (this.#isLarge && openStreams > KEEP_STREAMS) this.#set(false);
  }

  /** Not while the client has not acknowledged the last change. */
  #set(isLarge: boolean): void {
    const session = this.#session;
    if (session.destroyed || session.closed || session.pendingSettingsAck) return;
    this.#isLarge = isLarge;
    const few = { ...FEW_STREAMS, maxConcurrentStreams: Math.min(MAX_FEW, this.#streams) };
    session.settings(isLarge ? few : initialWindowSettings(this.#streams));
  }
}
