// An ExchangeStarter that a test drives: each exchange is given to the test, which calls its ClientSide and checks the
// recorded events. Thread: main.

import type {
  ClientConnection,
  ClientEvents,
  ClientGone,
  ClientSide,
  ExchangeStarter,
  LocalReply,
  Unparsable,
  UpgradeRequest,
} from '../../../../core/exchange-contract.ts';
import { type FieldList, type RequestHead, type ResponseHead, UNKNOWN_LENGTH } from '../../../../core/head.ts';
import { within } from '../../../support/raw-client.ts';

/** One exchange: its events are recorded, and the test responds to them. */
export class ScriptedExchange implements ClientEvents {
  readonly client: ClientSide;
  readonly head: RequestHead;
  readonly upgrade: UpgradeRequest | null;
  readonly receivedMs: number;
  /** Names of the events in order, but for body data. */
  readonly events: string[] = [];
  readonly chunks: Buffer[] = [];
  bodyBytes = 0;
  trailers: FieldList | null = null;
  gone: ClientGone[] = [];
  flushes = 0;
  drains = 0;
  halfCloses = 0;
  /** Called at each gone, inside it. */
  onGone: (why: ClientGone) => void = () => undefined;
  #wake: (() => void)[] = [];

  constructor(client: ClientSide, head: RequestHead, upgrade: UpgradeRequest | null, receivedMs: number) {
    this.client = client;
    this.head = head;
    this.upgrade = upgrade;
    this.receivedMs = receivedMs;
  }

  get body(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  onBodyData(chunk: Uint8Array): void {
    this.bodyBytes += chunk.byteLength;
    if (this.bodyBytes < 1_000_000) this.chunks.push(Buffer.from(chunk));
    this.#notify();
  }

  onBodyEnd(trailers: FieldList | null): void {
    this.trailers = trailers;
    this.#note('body-end');
  }

  onClientDrain(): void {
    this.drains++;
    this.#note('drain');
  }

  onResponseFlushed(): void {
    this.flushes++;
    this.#note('flushed');
  }

  /** Counted apart from the events: no contract case depends on when it arrives. */
  onClientHalfClosed(): void {
    this.halfCloses++;
    this.#notify();
  }

  onClientGone(why: ClientGone): void {
    this.gone.push(why);
    this.onGone(why);
    this.#note(`gone:${why}`);
  }

  #note(event: string): void {
    this.events.push(event);
    this.#notify();
  }

  /** Waits for an event, by name. */
  async until(event: string): Promise<void> {
    await this.untilTrue(() => this.events.includes(event), `the event ${event} after ${this.events.join(', ')}`);
  }

  async untilTrue(isTrue: () => boolean, what: string): Promise<void> {
    while (!isTrue()) await within(new Promise<void>((resolve) => this.#wake.push(resolve)), what);
  }

  #notify(): void {
    const woken = this.#wake;
    this.#wake = [];
    for (const wake of woken) wake();
  }

  /** Answers with a whole body of known length. */
  answer(body = 'ok', fields: FieldList = [], status = 200): void {
    this.client.sendHead(responseHead({ status, fields, body }), []);
    if (body !== '') this.client.sendData(Buffer.from(body, 'latin1'));
    this.client.sendEnd(null);
  }
}

export class ScriptedStarter implements ExchangeStarter {
  readonly refused: Unparsable[] = [];
  /** Facts of the connections of refused requests. */
  readonly refusedOn: ClientConnection[] = [];
  begun = 0;
  /** Called inside `begin`, before it returns. */
  onBegin: (exchange: ScriptedExchange) => void = () => undefined;
  readonly #ready: ScriptedExchange[] = [];
  #wake: (() => void)[] = [];

  begin(client: ClientSide, head: RequestHead, upgrade: UpgradeRequest | null, receivedMs: number): ScriptedExchange {
    const exchange = new ScriptedExchange(client, head, upgrade, receivedMs);
    this.begun++;
    this.onBegin(exchange);
    this.#ready.push(exchange);
    this.#notify();
    return exchange;
  }

  refuse(connection: ClientConnection, why: Unparsable): LocalReply {
    this.refused.push(why);
    this.refusedOn.push(connection);
    this.#notify();
    return localReply(STATUS_OF[why], `refused: ${why}`, true);
  }

  /** The next exchange, once it has begun. */
  async next(): Promise<ScriptedExchange> {
    while (this.#ready.length === 0) await this.#woken('an exchange');
    return this.#ready.shift()!;
  }

  async untilRefused(): Promise<Unparsable> {
    while (this.refused.length === 0) await this.#woken('a refusal');
    return this.refused.at(-1)!;
  }

  /** Answers every request from now on. */
  answerAll(answer: (exchange: ScriptedExchange) => void): void {
    this.onBegin = (exchange) => setImmediate(() => answer(exchange));
  }

  #woken(what: string): Promise<void> {
    return within(new Promise<void>((resolve) => this.#wake.push(resolve)), what);
  }

  #notify(): void {
    const woken = this.#wake;
    this.#wake = [];
    for (const wake of woken) wake();
  }
}

const STATUS_OF: Readonly<Record<Unparsable, number>> = {
  malformed: 400,
  'head-too-large': 431,
  'too-many-fields': 431,
  'target-too-long': 414,
  'head-timeout': 408,
  'version-not-supported': 505,
  'expectation-unknown': 417,
  'coding-unknown': 501,
  'method-not-served': 501,
};

export function localReply(status: number, body: string, mustClose = false): LocalReply {
  return { status, reason: 'Local', fields: ['Content-Type', 'text/plain'], body: Buffer.from(body), mustClose };
}

/** An endpoint's head; of known length where `body` or `length` is given. */
export interface HeadParts {
  readonly status?: number;
  readonly reason?: string;
  readonly fields?: FieldList;
  readonly body?: string;
  readonly length?: number;
}

export function responseHead(parts: HeadParts = {}): ResponseHead {
  const { fields = [] } = parts;
  const length = parts.length ?? parts.body?.length;
  return {
    status: parts.status ?? 200,
    reason: parts.reason ?? 'OK',
    bodyLength: length ?? UNKNOWN_LENGTH,
    hasLength: length !== undefined,
    field: (name) => fields.find((_, at) => at % 2 === 1 && fields[at - 1]!.toLowerCase() === name),
    endToEndFields: () => fields,
  };
}
