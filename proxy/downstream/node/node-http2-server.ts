// HTTP/2 by node:http2: its settings, every one that bounds what a client can make us hold or do. Thread: worker.

import { performServerHandshake, type ServerSessionOptions } from 'node:http2';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import type { DownstreamContext } from '../downstream-context.ts';
import { NodeHttp2Connection } from './node-http2-connection.ts';
import { INITIAL_WINDOW_SETTINGS } from './node-http2-window.ts';

const MAX_FRAME_BYTES = 16_384;
/** Of a connection, in MB: dynamic tables, buffered frames. */
const MAX_SESSION_MEMORY_MB = 10;
/** Pseudo-header fields beside the listener's limit; and room to refuse politely what is not far beyond it. */
const EXTRA_HEADER_PAIRS = 64;

export class NodeHttp2Server {
  readonly #context: DownstreamContext;
  readonly #listener: ListenerSnapshot;
  readonly #settings: ServerSessionOptions;

  constructor(context: DownstreamContext, listener: ListenerSnapshot) {
    this.#context = context;
    this.#listener = listener;
    this.#settings = settingsOf(listener);
  }

  /** Takes over a connection on which HTTP/2 was agreed. */
  serve(client: ClientSocket): NodeHttp2Connection {
    const session = performServerHandshake(client.stream, this.#settings);
    return new NodeHttp2Connection(this.#context, client, this.#listener, session);
  }
}

function settingsOf({ limits }: ListenerSnapshot): ServerSessionOptions {
  return {
    settings: {
      ...INITIAL_WINDOW_SETTINGS,
      maxFrameSize: MAX_FRAME_BYTES,
      maxHeaderListSize: limits.headBytes,
      headerTableSize: 4096,
      enablePush: false,
      enableConnectProtocol: false,
    },
    maxHeaderListPairs: limits.headFields + EXTRA_HEADER_PAIRS,
    maxSessionMemory: MAX_SESSION_MEMORY_MB,
    maxDeflateDynamicTableSize: 4096,
    maxOutstandingPings: 10,
    maxSettings: 32,
    maxSendHeaderBlockLength: 262_144,
    // Floods: frames that make no sense, streams over the limit, and streams that are opened only to be reset (CVE-2023-44487).
    maxSessionInvalidFrames: 1000,
    maxSessionRejectedStreams: 100,
    streamResetBurst: 1000,
    streamResetRate: 33,
    // Endpoints do repeat fields that should stand once; it is not for us to fail over it.
    strictSingleValueFields: false,
    strictFieldWhitespaceValidation: true,
  };
}
