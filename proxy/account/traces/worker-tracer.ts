// Traces of one worker: those of requests in progress, and the spans of ended ones. Transports and tunnels are wrapped while
// the configuration has `tracing`, and are used as they are otherwise. Thread: worker.

import type {
  AttemptEvents,
  AttemptHandle,
  AttemptRequest,
  Transport,
  TunnelEvents,
  TunnelHandle,
  Tunnels,
  UpgradeRequest,
} from '../../../core/exchange-contract.ts';
import type { Clock } from '../../../core/clock.ts';
import type { ExchangeRecord } from '../../../core/exchange-record.ts';
import type { FieldList } from '../../../core/head.ts';
import type { RequestTracer, SpanBatch } from '../../../core/request-tracer.ts';
import { formatTraceparent } from '../../../core/trace-context.ts';
import { TraceIds } from '../../policies/trace-ids.ts';
import { AttemptTimes } from './attempt-times.ts';
import { RequestTrace } from './request-trace.ts';
import { SpanBuffer } from './span-buffer.ts';
import { TracedAttempt, TracedTunnel } from './traced-attempt.ts';

interface AttemptStarters {
  readonly transport: Transport;
  readonly tunnels: Tunnels;
}

export class WorkerTracer implements RequestTracer {
  readonly #clock: Clock;
  readonly #buffer: SpanBuffer;
  readonly #ids = new TraceIds();
  readonly #open = new Map<object, RequestTrace>();
  readonly #nowMs = (): number => this.#clock.nowMs();

  constructor(clock: Clock, send: (batch: SpanBatch) => void) {
    this.#clock = clock;
    this.#buffer = new SpanBuffer(send);
  }

  begin(exchange: object, traceId: string, parentId: string, state: string): string {
    const spanId = this.#newSpanId();
    const offsetMs = this.#clock.wallMs() - this.#clock.nowMs();
    this.#open.set(exchange, new RequestTrace({ traceId, spanId, parentId, state }, offsetMs));
    return formatTraceparent(traceId, spanId, true);
  }

  ended(exchange: object, record: ExchangeRecord): void {
    if (this.#open.size === 0) return;
    const trace = this.#open.get(exchange);
    if (trace === undefined) return;
    this.#open.delete(exchange);
    const { upstream, wasUpgraded, phases, beganWallMs } = record;
    // The duration of a tunnel is no latency of the upstream, and isn't in its histogram.
    if (upstream !== null && !wasUpgraded) {
      const { traceId } = trace.identity;
      this.#buffer.addExemplar({
        upstream: upstream.name,
        traceId,
        ms: phases.totalMs,
        atMs: beganWallMs + phases.totalMs,
      });
    }
    for (const span of trace.spans(record, () => this.#newSpanId())) this.#buffer.add(span);
  }

  /** Sends the spans of ended requests. */
  report(): void {
    this.#buffer.report();
  }

  /** @returns transport and tunnels with a span for each attempt of a traced request */
  watch({ transport, tunnels }: AttemptStarters): AttemptStarters {
    return {
      transport: {
        send: (request, events) => this.#send(transport, request, events),
        update: (upstreams) => transport.update(upstreams),
        amend: (upstreams) => transport.amend(upstreams),
        dropIdle: (slot) => transport.dropIdle(slot),
        close: () => transport.close(),
      },
      tunnels: {
        open: (upgrade, request, events) => this.#openTunnel(tunnels, upgrade, request, events),
        closeAll: () => tunnels.closeAll(),
      },
    };
  }

  #send(inner: Transport, request: AttemptRequest, events: AttemptEvents): AttemptHandle {
    const trace = this.#open.size === 0 ? undefined : this.#open.get(request.origin);
    if (trace === undefined) return inner.send(request, events);
    const times = this.#attemptOf(trace, request);
    const traced = new TracedAttempt(times, events, this.#nowMs);
    traced.begun(inner.send(times.request, traced));
    return traced;
  }

  #openTunnel(inner: Tunnels, upgrade: UpgradeRequest, request: AttemptRequest, events: TunnelEvents): TunnelHandle {
    const trace = this.#open.get(request.origin);
    if (trace === undefined) return inner.open(upgrade, request, events);
    const times = this.#attemptOf(trace, request);
    const traced = new TracedTunnel(times, events, this.#nowMs);
    traced.begun(inner.open(upgrade, times.request, traced));
    return traced;
  }

  /** The endpoint gets the attempt as the parent of its spans. */
  #attemptOf(trace: RequestTrace, request: AttemptRequest): AttemptTimes {
    const spanId = this.#newSpanId();
    const sent = formatTraceparent(trace.identity.traceId, spanId, true);
    const insertedFields = withTraceparent(request.insertedFields, sent);
    const times = new AttemptTimes({ ...request, insertedFields }, spanId, this.#clock.nowMs());
    trace.attempts.push(times);
    return times;
  }

  #newSpanId(): string {
    this.#ids.draw();
    return this.#ids.spanId;
  }
}

/** A policy may have replaced the field, or removed it: then it stays as that policy has made it. */
function withTraceparent(fields: FieldList, value: string): FieldList {
  const at = fields.indexOf('traceparent');
  return at < 0 ? fields : fields.with(at + 1, value);
}
