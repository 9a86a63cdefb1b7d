// A Forwarder between a client and a transport that the test plays, on a clock that the test advances. Thread: worker.

import { clientConnection } from './client-connection.ts';
import { policyServices } from './policies.ts';
import { seededRandom } from '../../core/random.ts';
import type {
  AttemptEvents,
  AttemptRequest,
  ClientConnection,
  ClientEvents,
  ClientSide,
  LocalReply,
  Transport,
  Tunnels,
} from '../../core/exchange-contract.ts';
import type { ExchangeRecord } from '../../core/exchange-record.ts';
import type { FieldList, RequestHead, ResponseHead } from '../../core/head.ts';
import type { Region } from '../../core/memory/region.ts';
import type { MessageToMain } from '../../core/messages.ts';
import type { PluginPolicy } from '../../core/policy/policy-definition.ts';
import { PolicyWatch } from '../../proxy/policies/policy-watch.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import { TimerWheel, wheelTimers } from '../../core/timer-wheel.ts';
import { LaneObserver } from '../../proxy/account/account.ts';
import { WorkerLanes } from '../../proxy/account/lane.ts';
import type { WorkerTracer } from '../../proxy/account/traces/worker-tracer.ts';
import { LatencyBaselines } from '../../proxy/placement/latency-baseline.ts';
import type { Exchange } from '../../proxy/exchange/exchange.ts';
import { Forwarder } from '../../proxy/exchange/forwarder.ts';
import { OpenList } from '../../proxy/exchange/open-list.ts';
import { ReplayBudget } from '../../proxy/exchange/replay-buffer.ts';
import { openBudget } from '../../proxy/placement/retry-budget.ts';
import { Runtime } from '../../proxy/exchange/runtime.ts';
import { fieldOf, type HeadParts, requestHead } from './request-head.ts';
import { SILENT_LOG } from './loggers.ts';
import { regionFor } from './snapshots.ts';

/** One attempt of the transport; the test plays the endpoint through `events`. */
export class PlayedAttempt {
  readonly request: AttemptRequest;
  readonly events: AttemptEvents;
  readonly sent: string[] = [];
  isBodyEnded = false;
  trailers: FieldList | null = null;
  isAborted = false;
  resumes = 0;
  /** Return value of sendBody. */
  hasRoom = true;

  constructor(request: AttemptRequest, events: AttemptEvents) {
    this.request = request;
    this.events = events;
  }

  get slot(): number {
    return this.request.endpoint.slot;
  }

  /** Plays a complete response. */
  answer(status = 200, body = 'ok', fields: FieldList = []): void {
    this.events.onLease(false);
    this.events.onHead(responseHead(status, fields));
    if (body !== '') this.events.onData(Buffer.from(body));
    this.events.onEnd(null);
  }
}

export function responseHead(status: number, fields: FieldList = []): ResponseHead {
  return {
    status,
    reason: '',
    bodyLength: -1,
    hasLength: false,
    field: (name) => fieldOf(fields, name),
    endToEndFields: () => fields,
  };
}

/** A client that records all calls. */
export class PlayedClient implements ClientSide {
  readonly connection: ClientConnection;
  readonly log: string[] = [];
  hasRoom = true;
  reply: LocalReply | null = null;
  /** The response head and everything else that was sent. */
  head: ResponseHead | null = null;
  extra: FieldList = [];
  events: ClientEvents | null = null;
  isBodyFlowing = false;
  isBodyKept = false;

  constructor(connection: Partial<ClientConnection>) {
    this.connection = clientConnection(connection);
  }

  sendInterim(head: ResponseHead): void {
    this.log.push(`interim ${head.status}`);
  }
  sendHead(head: ResponseHead, extra: FieldList): void {
    this.head = head;
    this.extra = extra;
    this.log.push(`head ${head.status}`);
  }
  sendData(chunk: Uint8Array): boolean {
    this.log.push(`data ${Buffer.from(chunk).toString()}`);
    return this.hasRoom;
  }
  sendEnd(trailers: FieldList | null): void {
    this.log.push(trailers === null ? 'end' : `end ${trailers.join()}`);
    if (!this.isBodyKept) this.events?.onResponseFlushed();
  }
  keepBody(): void {
    this.isBodyKept = true;
  }
  releaseBody(): void {
    this.isBodyKept = false;
    this.log.push('release');
    this.events?.onResponseFlushed();
  }
  sendLocalReply(reply: LocalReply): void {
    this.reply = reply;
    this.log.push(`reply ${reply.status}`);
    queueMicrotask(() => this.events?.onResponseFlushed());
  }
  cut(): void {
    this.log.push('cut');
  }
  resumeBody(): void {
    this.isBodyFlowing = true;
  }
  pauseBody(): void {
    this.isBodyFlowing = false;
  }
}

/** The complete test bench. */
export class ForwardingBench implements Transport {
  readonly region: Region;
  readonly wheel: TimerWheel;
  readonly baselines: LatencyBaselines;
  readonly forwarder: Forwarder;
  /** Open exchanges. */
  readonly open = new OpenList<Exchange>();
  readonly attempts: PlayedAttempt[] = [];
  readonly messages: MessageToMain[] = [];
  readonly records: ExchangeRecord[] = [];
  nowMs = 1000;
  /** Whether the process is overloaded. */
  mustShed = false;
  /** Use of the fullest limit of the process. */
  pressure = 0;

  /** @param tracer traces the requests; absent, none is traced */
  constructor(
    snapshot: Snapshot,
    pluginPolicies: ReadonlyMap<string, PluginPolicy> = new Map(),
    tracer: WorkerTracer | null = null,
  ) {
    this.region = regionFor(snapshot);
    this.wheel = new TimerWheel(10, this.nowMs);
    this.baselines = new LatencyBaselines(this.region.capacity.endpoints);
    const memory = { region: this.region, worker: 0, random: seededRandom(7) };
    const lanes = new WorkerLanes(this.region, 0);
    const policyWatch = new PolicyWatch({
      log: SILENT_LOG,
      nowMs: () => this.nowMs,
      count: (policy, field, amount) => lanes.policy(policy).add(field, amount),
    });
    const runtime = new Runtime(snapshot, memory, {
      worker: 0,
      log: SILENT_LOG,
      services: {
        ...policyServices(),
        ...(tracer !== null && { tracer }),
        mirrors: () => this.forwarder.mirrors,
        mustShed: () => this.mustShed,
        pressure: () => this.pressure,
        nowMs: () => this.nowMs,
        timers: wheelTimers(this.wheel, { nowMs: () => this.nowMs, wallMs: () => this.nowMs }),
      },
      watch: policyWatch,
      pluginPolicies,
    });
    for (const upstream of snapshot.upstreams) openBudget(this.region, upstream.index, upstream.retry);
    this.forwarder = new Forwarder({
      ...memory,
      clock: { nowMs: () => this.nowMs, wallMs: () => this.region.originWallMs + this.nowMs },
      wheel: this.wheel,
      transport: this,
      tunnels: NO_TUNNELS,
      runtime: () => runtime,
      open: () => this.open,
      afterThisTurn: (run) => run(),
      post: (message) => this.messages.push(message),
      lanes,
      workerCount: () => snapshot.workers,
      baselines: this.baselines,
      policyWatch,
      replays: new ReplayBudget(() => snapshot.overload.replayBytes),
      observers: [new LaneObserver(lanes), { readsLoad: true, exchangeEnded: (record) => this.records.push(record) }],
      log: SILENT_LOG,
    });
    if (tracer !== null) this.forwarder.use(tracer.watch({ transport: this, tunnels: NO_TUNNELS }));
  }

  /** Receives a request. */
  request(parts: Partial<HeadParts> = {}, connection: Partial<ClientConnection> = {}): PlayedClient {
    return this.requestWith(requestHead(parts), connection);
  }

  requestWith(head: RequestHead, connection: Partial<ClientConnection> = {}): PlayedClient {
    const client = new PlayedClient(connection);
    client.events = this.forwarder.begin(client, head, null, this.nowMs);
    return client;
  }

  /** Advances the clock. */
  advance(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs = Math.min(endMs, this.nowMs + 10);
      this.wheel.advance(this.nowMs);
    }
  }

  get last(): PlayedAttempt {
    return this.attempts.at(-1)!;
  }

  /** In-flight count of a slot in shared memory. */
  inflight(slot: number): number {
    return this.region.words[this.region.endpointWord(slot)]!;
  }

  send(request: AttemptRequest, events: AttemptEvents) {
    const attempt = new PlayedAttempt(request, events);
    this.attempts.push(attempt);
    return {
      protocol: 'http1' as const,
      sendBody(chunk: Uint8Array) {
        attempt.sent.push(Buffer.from(chunk).toString());
        return attempt.hasRoom;
      },
      endBody(trailers: FieldList | null) {
        attempt.isBodyEnded = true;
        attempt.trailers = trailers;
      },
      resume() {
        attempt.resumes++;
      },
      abort() {
        attempt.isAborted = true;
      },
    };
  }
  update(): void {}
  amend(): void {}
  dropIdle(): void {}
  async close(): Promise<void> {}
}

const NO_TUNNELS: Tunnels = {
  open() {
    throw new Error('no tunnels on this bench');
  },
  closeAll() {},
};
