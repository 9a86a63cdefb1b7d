// The transport of upstreams with `protocol: http2`: attempts as streams over one pool per endpoint and worker.
// Thread: worker.

import type { AttemptEvents, AttemptHandle, AttemptRequest, Transport } from '../../../core/exchange-contract.ts';
import { FrameMemory } from '../../http2/frame-writer.ts';
import { ScannedRequestHead } from '../../wire/scanned-request-head.ts';
import type { Http1TransportParts } from '../http1/http1-transport.ts';
import { PoolTable } from '../pool-table.ts';
import { leaseFor, PooledTransport } from '../pooled-transport.ts';
import { Http2Attempt } from './http2-attempt.ts';
import { Http2Pool } from './http2-pool.ts';
import { http2RequestFields, webSocketFields } from './request-fields.ts';

export class Http2Transport extends PooledTransport<Http2Pool> implements Transport {
  constructor(parts: Http1TransportParts) {
    const { wheel, turn, memory } = parts;
    const shared = { wheel, turn, memory, frames: new FrameMemory() };
    super(new PoolTable((endpoint, upstream) => new Http2Pool(endpoint, upstream, shared, parts)));
  }

  /** For a scanned head, events may come before this returns; for all others they come after the caller's turn. */
  send(request: AttemptRequest, events: AttemptEvents): AttemptHandle {
    const isImmediate = request.head instanceof ScannedRequestHead;
    const fields = http2RequestFields(request);
    const attempt = new Http2Attempt(request, events, isImmediate, fields ?? []);
    return leaseFor(this.pools, attempt, fields !== null);
  }

  /** Sends an extended CONNECT for a WebSocket. All events come after the caller's turn. */
  connect(request: AttemptRequest, events: AttemptEvents): Http2Attempt {
    const fields = webSocketFields(request);
    const attempt = new Http2Attempt(request, events, false, fields ?? []);
    return leaseFor(this.pools, attempt, fields !== null);
  }
}
