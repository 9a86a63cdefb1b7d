// An attempt that a test sends over a transport: plays the exchange and records every event. Thread: main.

import type { AttemptEvents, AttemptHandle, AttemptRequest, Transport } from '../../core/exchange-contract.ts';
import type { Failure } from '../../core/failure.ts';
import type { FieldList, ResponseHead } from '../../core/head.ts';

/** Names of the events. */
export type EventName =
  | 'lease'
  | 'body-wanted'
  | 'drain'
  | 'interim'
  | 'head'
  | 'data'
  | 'early-end'
  | 'end'
  | 'failure';

export class RecordedAttempt implements AttemptEvents {
  /** Events in order; consecutive `data` count once. */
  readonly log: EventName[] = [];
  readonly interims: ResponseHead[] = [];
  readonly chunks: Buffer[] = [];
  isReused: boolean | null = null;
  head: ResponseHead | null = null;
  trailers: FieldList | null = null;
  failure: Failure | null = null;
  /** Return value of onData. */
  takesData = true;
  /** Return value of onEarlyEnd. */
  keepsUpload = false;
  /** Called after each event; may call the handle. */
  react: (event: EventName) => void = () => undefined;
  handle!: AttemptHandle;
  /** Resolves with the last event. */
  readonly done: Promise<this>;
  readonly #resolve: (self: this) => void;
  readonly #watchers = new Set<() => void>();

  constructor() {
    const { promise, resolve } = Promise.withResolvers<this>();
    this.done = promise;
    this.#resolve = resolve;
  }

  /** Sends `request`; the returned attempt receives its events. */
  static send(transport: Transport, request: AttemptRequest, prepare?: (it: RecordedAttempt) => void): RecordedAttempt {
    const attempt = new RecordedAttempt();
    prepare?.(attempt);
    attempt.handle = transport.send(request, attempt);
    return attempt;
  }

  get body(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  get bodyBytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** 'ok', or the kind of the failure and whether the request was sent. */
  get outcome(): string {
    if (this.failure === null) return this.log.includes('end') ? 'ok' : 'open';
    return `${this.failure.kind} ${this.failure.wasSent ? 'sent' : 'unsent'}`;
  }

  /** Resolves when `holds` is true, evaluated after each event. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#watchers.add(resolve));
  }

  /** Resolves at the first occurrence of the event. */
  async saw(event: EventName): Promise<void> {
    await this.until(() => this.log.includes(event));
  }

  onLease(reused: boolean): void {
    this.isReused = reused;
    this.#note('lease');
  }

  onBodyWanted(): void {
    this.#note('body-wanted');
  }

  onEndpointDrain(): void {
    this.#note('drain');
  }

  onInterim(head: ResponseHead): void {
    this.interims.push(head);
    this.#note('interim');
  }

  onHead(head: ResponseHead): void {
    this.head = head;
    this.#note('head');
  }

  onData(chunk: Uint8Array): boolean {
    this.chunks.push(Buffer.from(chunk));
    this.#note('data');
    return this.takesData;
  }

  onEarlyEnd(trailers: FieldList | null): boolean {
    if (!this.keepsUpload) return false;
    this.trailers = trailers;
    this.#note('early-end');
    return true;
  }

  onEnd(trailers: FieldList | null): void {
    this.trailers = trailers;
    this.#note('end');
    this.#resolve(this);
  }

  onFailure(failure: Failure): void {
    this.failure = failure;
    this.#note('failure');
    this.#resolve(this);
  }

  #note(event: EventName): void {
    if (event !== 'data' || this.log.at(-1) !== 'data') this.log.push(event);
    this.react(event);
    for (const resolve of this.#watchers) resolve();
    this.#watchers.clear();
  }
}
