// Interface between the frames of a client connection and the connection, and faults of the client. Thread: worker.

import type { LocalReply, Unparsable } from '../../../core/exchange-contract.ts';
import type { AbuseLimits } from '../../http2/abuse-limits.ts';
import { ErrorCode } from '../../http2/error-code.ts';
import type { RequestReader } from '../../http2/request-reader.ts';
import type { Http2Output } from './http2-output.ts';
import type { Http2Stream } from './http2-stream.ts';
import type { StreamTable } from './stream-table.ts';

export const CALM: ErrorCode = ErrorCode.ENHANCE_YOUR_CALM;

/** The connection, as its frames use it. */
export interface FrameHost {
  readonly output: Http2Output;
  readonly streams: StreamTable;
  readonly reader: RequestReader;
  readonly limits: AbuseLimits;
  /** Whether new streams are served: not after the last GOAWAY. */
  readonly isAccepting: boolean;
  newStream(): Http2Stream;
  /** A stream has begun. */
  streamBegan(): void;
  /** The client has reset a stream. */
  streamClosed(stream: Http2Stream): void;
  /** Counts and logs a request that isn't served. */
  refuse(why: Unparsable): LocalReply;
  addReset(stream: number, code: ErrorCode): void;
  onPingAck(): void;
  onClientGoaway(): void;
  fail(code: ErrorCode, reason: string): void;
}

/** One per connection: faults of the client, each of which counts. */
export class FrameFaults {
  readonly #host: FrameHost;

  constructor(host: FrameHost) {
    this.#host = host;
  }

  /** Counts a frame that carries nothing of a message. @returns false where there are too many */
  countControl(): boolean {
    const isAllowed = this.#host.limits.mayControl();
    if (!isAllowed) this.#host.fail(CALM, 'too many control frames');
    return isAllowed;
  }

  /** Resets a stream. */
  failStream(stream: Http2Stream, code: ErrorCode): void {
    stream.ending.fail(code);
    this.count();
  }

  /** Resets a stream that isn't open. */
  resetClosed(id: number, code: ErrorCode): void {
    this.#host.addReset(id, code);
    this.count();
  }

  count(): void {
    if (!this.#host.limits.mayFault()) this.#host.fail(CALM, 'too many faults');
  }
}
