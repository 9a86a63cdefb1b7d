// Sends the spans of all workers to the receiver: one request at a time, repeated with backoff where the receiver may
// accept it later (OTLP specification, section "OTLP/HTTP Response"). Thread: main.

import { hostname } from 'node:os';
import type { Logger } from '../../core/log.ts';
import type { Random } from '../../core/random.ts';
import type { Exemplar, SpanBatch } from '../../core/request-tracer.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { TracingSnapshot } from '../../core/snapshot/tracing.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';
import type { SnapshotConsumer } from '../snapshot-owner.ts';
import { Exemplars } from './exemplars.ts';
import type { ReceiverClient, ReceiverReply } from './otlp-client.ts';
import { SpanQueue } from './span-queue.ts';

const FIRST_BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 30_000;
/** Longest Retry-After that is obeyed: a mistake of the receiver must not end tracing. */
const LONGEST_RETRY_AFTER_MS = 300_000;
/** Time for the last spans when the process ends. */
const LAST_MS = 2000;
/** Statuses of a receiver that may accept the same request later. */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Counts since the start. */
export interface TraceCounts {
  exported: number;
  /** Lost because the queue was full, because the receiver refused them, or because a worker had too many. */
  readonly lost: { queue: number; refused: number; worker: number };
  failedRequests: number;
}

export interface ExporterParts {
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly version: string;
  readonly connect: (settings: TracingSnapshot) => ReceiverClient;
}

export class TraceExporter implements SnapshotConsumer {
  readonly counts: TraceCounts = { exported: 0, lost: { queue: 0, refused: 0, worker: 0 }, failedRequests: 0 };
  readonly #parts: ExporterParts;
  readonly #queue = new SpanQueue();
  readonly #exemplars = new Exemplars();
  #settings: TracingSnapshot | null = null;
  #client: ReceiverClient | null = null;
  #prefix = '';
  /** The request in progress. */
  #sending: Promise<void> | null = null;
  #retry: TimerHandle | null = null;
  #failures = 0;

  constructor(parts: ExporterParts) {
    this.#parts = parts;
  }

  /** Bytes of spans that wait. */
  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  exemplars(upstream: string): readonly Exemplar[] {
    return this.#exemplars.of(upstream);
  }

  apply(snapshot: Snapshot): void {
    const { tracing } = snapshot;
    this.#exemplars.apply(snapshot);
    if (JSON.stringify(tracing) === JSON.stringify(this.#settings)) return;
    void this.#client?.close();
    this.#client = tracing === null ? null : this.#parts.connect(tracing);
    this.#settings = tracing;
    this.#prefix = tracing === null ? '' : prefixOf(tracing, this.#parts.version);
    this.#failures = 0;
    this.#retry?.cancel();
    this.#retry = null;
    if (tracing === null) this.counts.lost.queue += this.#queue.clear();
    this.#send();
  }

  /** A worker has reported spans. */
  add(batch: SpanBatch): void {
    const { lost } = this.counts;
    lost.worker += batch.dropped;
    if (this.#settings !== null) this.#exemplars.add(batch.exemplars);
    if (batch.spans === 0) return;
    lost.queue += this.#queue.add(batch, this.#settings?.queueBytes ?? 0);
    this.#send();
  }

  /** Sends what waits, for a short time, and closes the connection. */
  async stop(): Promise<void> {
    this.#retry?.cancel();
    this.#retry = null;
    const last = Promise.withResolvers<void>();
    const timer = this.#parts.timers.after(LAST_MS, last.resolve);
    if (this.#failures === 0) await Promise.race([this.#sendAll(), last.promise]);
    timer.cancel();
    const client = this.#client;
    this.#client = null;
    await client?.close();
  }

  async #sendAll(): Promise<void> {
    while (this.#sending !== null || (!this.#queue.isEmpty && this.#failures === 0 && this.#client !== null)) {
      this.#send();
      await this.#sending;
    }
  }

  #send(): void {
    if (this.#client === null || this.#sending !== null || this.#retry !== null || this.#queue.isEmpty) return;
    const batches = this.#queue.oldest();
    this.#sending = this.#post(this.#client, batches).finally(() => {
      this.#sending = null;
      this.#send();
    });
  }

  async #post(client: ReceiverClient, batches: readonly SpanBatch[]): Promise<void> {
    let reply: ReceiverReply;
    try {
      reply = await client.post(requestOf(this.#prefix, batches));
    } catch (error) {
      return this.#failed(client, reasonOf(error as Error), 0);
    }
    if (RETRYABLE.has(reply.status)) return this.#failed(client, `status ${reply.status}`, reply.retryAfterMs);
    this.#queue.drop(batches);
    const spans = batches.reduce((sum, batch) => sum + batch.spans, 0);
    if (reply.status >= 200 && reply.status < 300) return this.#accepted(spans, reply.text);
    this.counts.failedRequests += 1;
    this.counts.lost.refused += spans;
    const answer = reply.text.slice(0, 200);
    const { url } = this.#settings!;
    this.#parts.log.warn({ url, status: reply.status, spans, answer }, `spans lost: ${url} answers ${reply.status}`);
  }

  #accepted(spans: number, text: string): void {
    const refused = Math.min(spans, refusedSpans(text));
    this.counts.exported += spans - refused;
    this.counts.lost.refused += refused;
    if (this.#failures > 0) this.#parts.log.info({}, `receiver of spans ${this.#settings!.url} accepts them again`);
    this.#failures = 0;
  }

  #failed(client: ReceiverClient, cause: string, retryAfterMs: number): void {
    if (client !== this.#client) return;
    const { log, random, timers } = this.#parts;
    this.counts.failedRequests += 1;
    this.#failures += 1;
    const { url } = this.#settings!;
    const advice = 'spans wait in memory; the oldest are lost beyond tracing.queue';
    if (this.#failures === 1) log.warn({ url }, `receiver of spans ${url} takes none: ${cause}; ${advice}`);
    const backoffMs = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (this.#failures - 1));
    const delayMs = Math.min(LONGEST_RETRY_AFTER_MS, retryAfterMs) || backoffMs * (0.5 + 0.5 * random.next());
    this.#retry = timers.after(delayMs, () => {
      this.#retry = null;
      this.#send();
    });
  }
}

/** An ExportTraceServiceRequest up to its spans. */
function prefixOf({ resource }: TracingSnapshot, version: string): string {
  const attributes = new Map([
    ['service.version', version],
    ['service.instance.id', `${hostname()}:${process.pid}`],
    ['host.name', hostname()],
  ]);
  for (let at = 0; at < resource.length; at += 2) attributes.set(resource[at]!, resource[at + 1]!);
  const list = [...attributes].map(([key, stringValue]) => ({ key, value: { stringValue } }));
  const scope = JSON.stringify({ name: 'fairlead', version });
  return `{"resourceSpans":[{"resource":{"attributes":${JSON.stringify(list)}},"scopeSpans":[{"scope":${scope},"spans":[`;
}

function requestOf(prefix: string, batches: readonly SpanBatch[]): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from(prefix)];
  for (const [index, { bytes }] of batches.entries()) {
    if (index > 0) parts.push(COMMA);
    parts.push(bytes);
  }
  return Buffer.concat([...parts, SUFFIX]);
}

const COMMA = Buffer.from(',');
const SUFFIX = Buffer.from(']}]}]}');

/** Spans that the receiver has refused while it accepted the others (ExportTracePartialSuccess). */
function refusedSpans(text: string): number {
  try {
    const reply = JSON.parse(text) as { partialSuccess?: { rejectedSpans?: string | number } } | null;
    const refused = Number(reply?.partialSuccess?.rejectedSpans ?? 0);
    return Number.isInteger(refused) && refused > 0 ? refused : 0;
  } catch {
    // A receiver may answer without a body, or in protobuf.
    return 0;
  }
}

function reasonOf(error: Error & { code?: string }): string {
  if (error.name === 'TimeoutError') return 'no answer in time';
  return error.message === '' ? (error.code ?? error.name) : error.message;
}
