// Dependencies of all connections of our HTTP/2 engine in a worker, and the settings of those of one listener.
// Thread: worker.

import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import type { Logger } from '../../../core/log.ts';
import type { FrameMemory } from '../../http2/frame-writer.ts';
import type { RequestRules } from '../../http2/request-reader.ts';
import type { Sweeper } from '../accept/sweeper.ts';
import type { Http1Context } from '../http1/http1-context.ts';
import type { ResponseBlocks } from './response-blocks.ts';

/** The parts of the HTTP/1.1 engine, and those of HTTP/2. */
export interface Http2Context extends Http1Context {
  readonly frames: FrameMemory;
  readonly sweeper: Sweeper;
  readonly blocks: ResponseBlocks;
  readonly log: Logger;
}

/** Bytes of a path beside itself in the limit of HTTP/1.1 on a request line: a method, two blanks, the version, CRLF. */
const REQUEST_LINE_REST_BYTES = 15;

/** State that the connections of one listener share while its settings stay the same. */
export class Http2Listener {
  readonly snapshot: ListenerSnapshot;
  readonly rules: RequestRules;

  constructor(snapshot: ListenerSnapshot) {
    const { limits, underscoreFields } = snapshot;
    this.snapshot = snapshot;
    this.rules = {
      listBytes: limits.headBytes,
      fields: limits.headFields,
      underscores: underscoreFields,
      pathBytes: limits.requestLineBytes - REQUEST_LINE_REST_BYTES,
      enablesConnectProtocol: true,
    };
  }
}
