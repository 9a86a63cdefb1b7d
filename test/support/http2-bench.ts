// The HTTP/2 transport connected to an HTTP/2 origin. Thread: main.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { ENDPOINT_FIELD, type EndpointField } from '../../core/memory/lane-fields.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { systemTimers } from '../../core/timers.ts';
import { Http2Transport } from '../../proxy/upstream/http2/http2-transport.ts';
import { sharedParts } from './http1-parts.ts';
import { Http2Origin } from './http2-origin.ts';
import { RecordedAttempt } from './recorded-attempt.ts';
import { requestOrigin } from './request-origin.ts';
import { requestHead } from './request-head.ts';
import { endpointSnapshot, regionFor, snapshot, upstreamSnapshot } from './snapshots.ts';
import type { RequestParts } from './transport-bench.ts';

const WORKER = 1;

export class Http2Bench {
  readonly origin: Http2Origin;
  readonly transport: Http2Transport;
  readonly upstream: UpstreamSnapshot;
  readonly faults: string[] = [];
  idleDeaths = 0;
  readonly #region;

  constructor(origin: Http2Origin, parts: Partial<UpstreamSnapshot> = {}) {
    this.origin = origin;
    const endpoint = endpointSnapshot(0, { port: origin.port });
    this.upstream = upstreamSnapshot({ endpoints: [endpoint], protocol: 'http2', ...parts });
    this.#region = regionFor(snapshot({ upstreams: [this.upstream] }));
    this.transport = new Http2Transport({
      region: this.#region,
      worker: WORKER,
      timers: systemTimers,
      onIdleDeath: () => void (this.idleDeaths += 1),
      onFault: (_endpoint, kind, reason) => void this.faults.push(`${kind}: ${reason}`),
      ...sharedParts(),
    });
    this.transport.update([this.upstream]);
  }

  send(parts: RequestParts = {}, prepare?: (attempt: RecordedAttempt) => void): RecordedAttempt {
    const request = {
      endpoint: this.upstream.endpoints[0]!,
      upstream: this.upstream,
      hostField: 'a.test',
      insertedFields: [],
      removedFields: new Set<string>(),
      mustUseFresh: false,
      origin: requestOrigin(),
      ...parts,
      head: requestHead(parts),
    };
    return RecordedAttempt.send(this.transport, request, prepare);
  }

  lane(field: EndpointField): number {
    return this.#region.doubles[this.#region.endpointLane(WORKER, 0) + ENDPOINT_FIELD[field]]!;
  }

  async untilLane(field: EndpointField, count: number): Promise<void> {
    while (this.lane(field) !== count) await nextTurn();
  }

  async close(): Promise<void> {
    await this.transport.close();
    await this.origin.close();
  }
}

/** Runs `body` with a bench, and closes the bench in any case. */
export async function withHttp2Bench(
  body: (bench: Http2Bench, origin: Http2Origin) => Promise<void>,
  parts: Partial<UpstreamSnapshot> = {},
  prepare: (origin: Http2Origin) => void = () => undefined,
): Promise<void> {
  const origin = await Http2Origin.listen();
  prepare(origin);
  const bench = new Http2Bench(origin, parts);
  try {
    await body(bench, origin);
  } finally {
    await bench.close();
  }
}
