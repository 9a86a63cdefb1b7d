// Client side of one HTTP/2 exchange over a stream of node:http2. Thread: worker.

import { constants, type ServerHttp2Stream, type OutgoingHttpHeaders } from 'node:http2';
import type { Clock } from '../../../core/clock.ts';
import type {
  ClientConnection,
  ClientEvents,
  ClientGone,
  ClientSide,
  ExchangeStarter,
  LocalReply,
} from '../../../core/exchange-contract.ts';
import { type FieldList, isNamed, type ResponseHead, UNKNOWN_LENGTH } from '../../../core/head.ts';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import { passableTrailers, writableFields } from './field-list.ts';
import type { NodeHttp2Head } from './node-http2-head.ts';
import { CONNECTION_FIELDS } from '../../http2/header-field.ts';

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR } = constants;

/** Shorter than any deadline or cancellation by a user: only an attack resets its streams so soon (CVE-2023-44487). */
const RAPID_RESET_MS = 20;

/** The connection, as the client side of a stream uses it. */
export interface NodeHttp2Host {
  readonly facts: ClientConnection;
  readonly listener: ListenerSnapshot;
  readonly clock: Clock;
  /** Whether the connection is open, whatever the state of the stream. */
  isOpen(): boolean;
  /** The stream has closed. @param isRapidReset whether its client reset it at once, before any response */
  sideClosed(side: NodeHttp2ClientSide, isRapidReset: boolean): void;
}

/** held: not read yet. ended: received to its end, or there never was a body. */
type BodyState = 'held' | 'flowing' | 'paused' | 'discarded' | 'ended';

export class NodeHttp2ClientSide implements ClientSide {
  readonly #host: NodeHttp2Host;
  readonly #stream: ServerHttp2Stream;
  /** Null where the head was refused. */
  readonly #head: NodeHttp2Head | null;
  #events: ClientEvents | null = null;
  #body: BodyState;
  /** The end of a held body has been received: it is emitted once the body flows. */
  #hasBodyEnded = false;
  #trailers: FieldList = [];
  #isContinued = false;
  #isHeadSent = false;
  #hasNoBody = false;
  #owedBytes = UNKNOWN_LENGTH;
  #responseTrailers: FieldList | null = null;
  #isEnded = false;
  #isOver = false;
  #isBroken = false;
  #beganMs = 0;
  /** Monotonic ms of the last byte of the body, and since which the client has taken nothing (-1: it takes). */
  #bodyActiveMs = 0;
  #blockedSinceMs = -1;

  constructor(host: NodeHttp2Host, stream: ServerHttp2Stream, head: NodeHttp2Head | null) {
    this.#host = host;
    this.#stream = stream;
    this.#head = head;
    this.#body = head === null || head.bodyLength === 0 ? 'ended' : 'held';
    stream.on('error', () => undefined); // 'close' follows, with the code
    // Listened to from the start: a body that ends without a byte emits it even if it is held.
    stream.on('end', () => this.#bodyEnded());
    stream.on('trailers', (_headers, _flags, raw?: readonly string[]) => (this.#trailers = raw ?? []));
    stream.on('drain', () => this.#drained());
    stream.on('finish', () => this.#finished());
    stream.on('wantTrailers', () => this.#sendTrailers());
    stream.on('close', () => this.#closed());
  }

  get connection(): ClientConnection {
    return this.#host.facts;
  }

  begin(starter: ExchangeStarter, receivedMs: number): void {
    this.#beganMs = receivedMs;
    this.#events = starter.begin(this, this.#head!, null, receivedMs);
  }

  /** Checks the idle limits. */
  sweep(nowMs: number): void {
    const { bodyIdleMs, sendIdleMs } = this.#host.listener.timeouts;
    if (this.#isOver) return;
    if (this.#blockedSinceMs >= 0 && nowMs - this.#blockedSinceMs > sendIdleMs) {
      this.#isOver = true;
      this.#events?.onClientGone('send-timeout');
      this.#stream.close(NGHTTP2_INTERNAL_ERROR);
    } else if (this.#body === 'flowing' && !this.#isEnded && nowMs - this.#bodyActiveMs > bodyIdleMs) {
      this.#bodyFailed('body-timeout');
    }
  }

  /** Resets the stream and ends the exchange. */
  abort(): void {
    if (!this.#isOver) this.#fail();
  }

  // ---- ClientSide

  sendInterim(head: ResponseHead): void {
    if (this.#isOver || this.#isHeadSent || head.status === 101) return;
    if (head.status === 100) this.#sendContinue();
    else this.#sendInformation(head.status, head.endToEndFields());
  }

  sendHead(head: ResponseHead, extra: FieldList): void {
    if (this.#isOver || this.#isHeadSent) return;
    this.#respond(head, [...head.endToEndFields(), ...extra]);
  }

  sendData(chunk: Uint8Array): boolean {
    if (this.#isOver || this.#isEnded || this.#hasNoBody) return true;
    if (this.#owedBytes !== UNKNOWN_LENGTH) {
      if (chunk.byteLength > this.#owedBytes) return this.#fail();
      this.#owedBytes -= chunk.byteLength;
    }
    const hasRoom = this.#stream.write(chunk);
    if (!hasRoom) this.#blockedSinceMs = this.#host.clock.nowMs();
    return hasRoom;
  }

  sendEnd(trailers: FieldList | null): void {
    if (this.#isOver || this.#isEnded) return;
    if (!this.#isHeadSent || (this.#owedBytes > 0 && !this.#hasNoBody)) {
      this.#fail();
      return;
    }
    this.#responseTrailers = trailers;
    this.#end(null);
  }

  sendLocalReply(reply: LocalReply): void {
    if (this.#isOver || this.#isEnded) return;
    if (this.#isHeadSent) {
      this.#fail();
      return;
    }
    // `mustClose` is for framing that can't be trusted any more; here the end of a stream is certain.
    const facts = { status: reply.status, bodyLength: reply.body.byteLength, hasLength: true };
    this.#respond(facts, reply.fields);
    this.#end(reply.body);
  }

  cut(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stream.close(NGHTTP2_INTERNAL_ERROR);
  }

  resumeBody(): void {
    if (this.#isOver || this.#isEnded || this.#body === 'ended' || this.#body === 'discarded') return;
    this.#bodyActiveMs = this.#host.clock.nowMs();
    const wasHeld = this.#body === 'held';
    this.#body = 'flowing';
    if (wasHeld) this.#readBody();
    if (this.#hasBodyEnded) this.#bodyEnded();
    else this.#stream.resume();
  }

  pauseBody(): void {
    if (this.#body !== 'flowing') return;
    this.#body = 'paused';
    this.#stream.pause();
  }

  // ---- request body

  #readBody(): void {
    this.#stream.on('data', (chunk: Buffer) => {
      if (this.#body === 'discarded') return;
      this.#bodyActiveMs = this.#host.clock.nowMs();
      this.#events?.onBodyData(chunk);
    });
  }

  /** Node ends the body of a stream that was reset, too: then it is incomplete, and 'close' reports it. */
  #bodyEnded(): void {
    if (this.#stream.aborted || this.#body === 'ended') return;
    if (this.#body === 'held') {
      this.#hasBodyEnded = true;
      return;
    }
    const mustEmit = this.#body !== 'discarded' && !this.#isOver;
    this.#body = 'ended';
    if (mustEmit) this.#events?.onBodyEnd(passableTrailers(this.#trailers, this.#host.listener.limits.headFields));
  }

  #bodyFailed(why: ClientGone): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#discardBody();
    this.#events?.onClientGone(why);
  }

  #discardBody(): void {
    if (this.#body !== 'ended') this.#body = 'discarded';
    this.#stream.resume();
  }

  #sendContinue(): void {
    if (this.#isContinued) return;
    this.#isContinued = true;
    this.#sendInformation(100, []);
  }

  // ---- response

  #sendInformation(status: number, fields: FieldList): void {
    if (this.#stream.destroyed || this.#stream.closed) return;
    this.#stream.additionalHeaders({ ':status': status, ...headersOf(http2Fields(fields)) });
  }

  #respond(head: Pick<ResponseHead, 'status' | 'bodyLength' | 'hasLength'>, own: FieldList): void {
    const { status, bodyLength, hasLength } = head;
    this.#isHeadSent = true;
    this.#hasNoBody = this.#head?.method === 'HEAD' || status === 204 || status === 205 || status === 304;
    const knowsLength = hasLength && bodyLength !== UNKNOWN_LENGTH && status !== 204;
    if (knowsLength) this.#owedBytes = bodyLength;
    const fields = [':status', String(status), ...http2Fields(own)];
    if (knowsLength) fields.push('content-length', String(bodyLength));
    if (this.#stream.destroyed || this.#stream.closed) return;
    // An empty body ends with the head: gRPC takes a status in the head for one only then.
    this.#hasNoBody ||= knowsLength && bodyLength === 0 && !announcesTrailers(own);
    // A frame more: node:http2 ends a stream that is closed by an error like a whole one unless it waits for trailers.
    this.#stream.respond(fields, { endStream: this.#hasNoBody, waitForTrailers: !this.#hasNoBody });
  }

  #end(body: Uint8Array | null): void {
    this.#isEnded = true;
    this.#discardBody();
    if (this.#hasNoBody) return void setImmediate(() => this.#finished());
    if (body !== null && body.byteLength > 0) this.#stream.end(body);
    else this.#stream.end();
    if (this.#stream.writableLength > 0) this.#blockedSinceMs = this.#host.clock.nowMs();
  }

  #sendTrailers(): void {
    this.#stream.sendTrailers(headersOf(http2Fields(this.#responseTrailers ?? [])));
  }

  #drained(): void {
    this.#blockedSinceMs = -1;
    if (!this.#isOver && !this.#isEnded) this.#events?.onClientDrain();
  }

  /** The whole response is sent: stops a client that goes on sending its body (RFC 9113 section 8.1). */
  #finished(): void {
    this.#blockedSinceMs = -1;
    if (this.#isOver || !this.#isEnded) return;
    setImmediate(() => {
      if (!this.#stream.readableEnded && !this.#stream.destroyed) this.#stream.close(NGHTTP2_NO_ERROR);
    });
  }

  #closed(): void {
    const { rstCode } = this.#stream;
    const wasReset = !this.#isOver && !this.#isHeadSent && rstCode !== NGHTTP2_NO_ERROR;
    this.#host.sideClosed(this, wasReset && this.#host.clock.nowMs() - this.#beganMs < RAPID_RESET_MS);
    if (this.#isOver) return;
    this.#isOver = true;
    const isWhole = this.#isEnded && rstCode === NGHTTP2_NO_ERROR;
    // nghttp2 itself resets a stream whose body differs from its content-length (RFC 9113 section 8.1.1).
    const isMalformed = rstCode === NGHTTP2_PROTOCOL_ERROR && this.#body !== 'ended' && this.#host.isOpen();
    if (isMalformed && !this.#isBroken) {
      this.#isBroken = true;
      this.#events?.onClientGone('malformed-body');
    }
    // A broken request was reported once already: its end is all that is left to report.
    if (isWhole || this.#isBroken) this.#events?.onResponseFlushed();
    else this.#events?.onClientGone('closed');
  }

  /** The response can't be completed as begun: resets the stream and ends the exchange. */
  #fail(): true {
    this.#isOver = true;
    this.#stream.close(NGHTTP2_INTERNAL_ERROR);
    this.#events?.onClientGone('closed');
    return true;
  }
}

function announcesTrailers(fields: FieldList): boolean {
  return fields.some((name, at) => at % 2 === 0 && isNamed(name, 'trailer'));
}

/** node:http2 throws for these, too, in any response. */
const REFUSED: ReadonlySet<string> = new Set([...CONNECTION_FIELDS, 'http2-settings', 'te']);

/** Fields that may be sent, names in lower case (section 8.2.1). */
function http2Fields(fields: FieldList): string[] {
  const kept = writableFields(fields);
  for (let at = kept.length - 2; at >= 0; at -= 2) {
    kept[at] = kept[at]!.toLowerCase();
    if (REFUSED.has(kept[at]!)) kept.splice(at, 2);
  }
  return kept;
}

/** Fields as an object, for interim responses and trailers: repeated fields as arrays. @param fields of http2Fields */
function headersOf(fields: FieldList): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (let at = 0; at < fields.length; at += 2) {
    const before = headers[fields[at]!];
    headers[fields[at]!] = before === undefined ? fields[at + 1]! : [before, fields[at + 1]!].flat().map(String);
  }
  return headers;
}
