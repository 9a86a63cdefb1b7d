// HTTP/2 over node:http2: all settings that bound the memory and work that a client can cause. Thread: worker.

import { performServerHandshake, type ServerSessionOptions } from 'node:http2';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import type { DownstreamContext } from '../downstream-context.ts';
import { NodeHttp2Connection } from './node-http2-connection.ts';
import { initialWindowSettings } from './node-http2-window.ts';

const MAX_FRAME_BYTES = 16_384;
/** Memory of a connection, in MB: dynamic tables, buffered frames. */
const MAX_SESSION_MEMORY_MB = 10;
/** Pseudo-header fields beside the listener's limit, and room to answer a head slightly beyond it with 431. */
const EXTRA_HEADER_PAIRS = 64;

/** Size of a cookie field with one byte, by RFC 9113 section 10.5.1. */
const LEAST_CRUMB_BYTES = 39;

export class NodeHttp2Server {
  readonly #context: DownstreamContext;
  readonly #listener: ListenerSnapshot;
  readonly #settings: ServerSessionOptions;

  constructor(context: DownstreamContext, listener: ListenerSnapshot) {
    this.#context = context;
    this.#listener = listener;
    this.#settings = settingsOf(listener);
  }

  /** Takes over a connection that has negotiated HTTP/2. */
  serve(client: ClientSocket): NodeHttp2Connection {
    // Bytes that were read before it is decided that they are HTTP/2 are taken in the next tick: until then they must stay.
    if (client.stream.readableLength > 0) client.stream.pause();
    const session = performServerHandshake(client.stream, this.#settings);
    return new NodeHttp2Connection(this.#context, client, this.#listener, session);
  }
}

function settingsOf({ limits }: ListenerSnapshot): ServerSessionOptions {
  return {
    settings: {
      ...initialWindowSettings(limits.streams),
      maxFrameSize: MAX_FRAME_BYTES,
      maxHeaderListSize: limits.headBytes,
      headerTableSize: 4096,
      enablePush: false,
      enableConnectProtocol: false,
    },
    // Cookie crumbs count as one field (readNodeHttp2Head): the limit on bytes bounds their number.
    maxHeaderListPairs:
      Math.max(limits.headFields, Math.ceil(limits.headBytes / LEAST_CRUMB_BYTES)) + EXTRA_HEADER_PAIRS,
    maxSessionMemory: MAX_SESSION_MEMORY_MB,
    maxDeflateDynamicTableSize: 4096,
    maxOutstandingPings: 10,
    maxSettings: 32,
    maxSendHeaderBlockLength: 262_144,
    // Floods: invalid frames, and streams over the limit.
    maxSessionInvalidFrames: 1000,
    maxSessionRejectedStreams: 100,
    // nghttp2 counts every reset, also of downloads that a client has cancelled: a backstop only. NodeHttp2Connection
    // counts rapid ones (CVE-2023-44487).
    streamResetBurst: 100_000,
    streamResetRate: 10_000,
    // Endpoints do repeat fields that should occur once; a proxy passes them on.
    strictSingleValueFields: false,
    strictFieldWhitespaceValidation: true,
  };
}
