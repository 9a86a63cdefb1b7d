// A transport connected to a scripted origin, for the contract cases that every transport passes. Thread: main.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AttemptRequest, Transport } from '../../core/exchange-contract.ts';
import { ENDPOINT_FIELD, type EndpointField } from '../../core/memory/lane-fields.ts';
import type { Region } from '../../core/memory/region.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { systemTimers } from '../../core/timers.ts';
import type { TransportParts } from '../../proxy/upstream/transport-parts.ts';
import { RecordedAttempt } from './recorded-attempt.ts';
import { requestOrigin } from './request-origin.ts';
import { requestHead, type HeadParts } from './request-head.ts';
import { ScriptedOrigin } from './scripted-origin.ts';
import { endpointSnapshot, regionFor, snapshot, upstreamSnapshot } from './snapshots.ts';

/** A transport under test. */
export interface TransportUnderTest {
  readonly name: string;
  /** Whether the rest of a request body may follow a complete response. */
  readonly keepsUploads?: boolean;
  make(parts: TransportParts): Transport;
}

/** Parts of a request that a case sets. */
export type RequestParts = Partial<HeadParts> & Partial<Omit<AttemptRequest, 'head'>>;

const WORKER = 1;
const NO_NAMES: ReadonlySet<string> = new Set();

export class TransportBench {
  readonly origin: ScriptedOrigin;
  readonly region: Region;
  readonly transport: Transport;
  readonly endpoint: EndpointSnapshot;
  readonly upstream: UpstreamSnapshot;
  /** Reported protocol faults, and deaths of idle connections. */
  readonly faults: string[] = [];
  idleDeaths = 0;

  private constructor(subject: TransportUnderTest, origin: ScriptedOrigin, parts: BenchParts) {
    this.origin = origin;
    this.endpoint = endpointSnapshot(0, { port: origin.port, ...parts.endpoint });
    this.upstream = upstreamSnapshot({ endpoints: [this.endpoint], ...parts.upstream });
    this.region = regionFor(snapshot({ upstreams: [this.upstream] }));
    this.transport = subject.make({
      region: this.region,
      worker: WORKER,
      timers: systemTimers,
      onIdleDeath: () => {
        this.idleDeaths += 1;
      },
      onFault: (endpoint, kind, reason) => this.faults.push(`${endpoint.name}: ${kind}: ${reason}`),
    });
    this.transport.update([this.upstream]);
  }

  static async open(subject: TransportUnderTest, parts: BenchParts = {}): Promise<TransportBench> {
    return new TransportBench(subject, parts.origin ?? (await ScriptedOrigin.listen()), parts);
  }

  /** Sends a request, by default GET / of a.test. */
  send(parts: RequestParts = {}, prepare?: (attempt: RecordedAttempt) => void): RecordedAttempt {
    return RecordedAttempt.send(this.transport, this.requestOf(parts), prepare);
  }

  /** Sends a request with this body, at the endpoint's pace. */
  sendWithBody(body: string, parts: RequestParts = {}): RecordedAttempt {
    return this.send({ method: 'POST', bodyLength: body.length, ...parts }, (attempt) => {
      attempt.react = (event) => {
        if (event !== 'body-wanted') return;
        if (body !== '') attempt.handle.sendBody(Buffer.from(body));
        attempt.handle.endBody(null);
      };
    });
  }

  requestOf(parts: RequestParts): AttemptRequest {
    return {
      endpoint: this.endpoint,
      upstream: this.upstream,
      hostField: 'a.test',
      insertedFields: [],
      removedFields: NO_NAMES,
      mustUseFresh: false,
      origin: requestOrigin(),
      ...parts,
      head: requestHead(parts),
    };
  }

  /** Counters of the endpoint in the worker's lane. */
  lane(field: EndpointField): number {
    return this.region.doubles[this.region.endpointLane(WORKER, this.endpoint.slot) + ENDPOINT_FIELD[field]]!;
  }

  /** Resolves when every connection is either idle or closed. */
  async idled(): Promise<void> {
    while (this.lane('connectionsOpen') !== this.lane('connectionsIdle')) await nextTurn();
  }

  async close(): Promise<void> {
    await this.transport.close();
    await this.origin.close();
  }
}

export interface BenchParts {
  readonly origin?: ScriptedOrigin;
  readonly endpoint?: Partial<EndpointSnapshot>;
  readonly upstream?: Partial<UpstreamSnapshot>;
}

/** Runs `body` with a bench, and closes the bench in any case. */
export async function withBench(
  subject: TransportUnderTest,
  parts: BenchParts,
  body: (bench: TransportBench) => Promise<void>,
): Promise<void> {
  const bench = await TransportBench.open(subject, parts);
  try {
    await body(bench);
  } finally {
    await bench.close();
  }
}
