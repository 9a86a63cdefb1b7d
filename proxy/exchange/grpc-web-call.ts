// A gRPC-Web call between its client and an exchange, which sees a gRPC call: request bodies leave base64, trailers become
// the last frame of the response body (grpc/doc/PROTOCOL-WEB.md). Thread: worker.

import type {
  ClientConnection,
  ClientEvents,
  ClientGone,
  ClientSide,
  LocalReply,
} from '../../core/exchange-contract.ts';
import type { FieldList, RequestHead, ResponseHead } from '../../core/head.ts';
import { EditedResponseHead } from '../policies/edited-response-head.ts';
import { GrpcWebHead, isGrpcWeb } from '../policies/grpc-web-head.ts';
import { Base64Decoder } from './base64-decoder.ts';

/** First byte of the frame that has the trailers. */
const TRAILERS_FLAG = 0x80;
/** Fields of a status, which a gRPC response without messages has in its head. */
const STATUS_FIELDS: ReadonlySet<string> = new Set(['grpc-status', 'grpc-message', 'grpc-status-details-bin']);
const REPLACED: ReadonlySet<string> = new Set(['content-type', ...STATUS_FIELDS]);
const TYPE_ALONE: ReadonlySet<string> = new Set(['content-type']);
const GRPC = /^application\/grpc(?=[+;]|$)/i;

/** The call of a gRPC-Web request; null for other requests. It converts once its head does. */
export function grpcWebCallOf(client: ClientSide, head: RequestHead): GrpcWebCall | null {
  return isGrpcWeb(head) ? new GrpcWebCall(client, new GrpcWebHead(head)) : null;
}

export class GrpcWebCall implements ClientSide, ClientEvents {
  readonly head: GrpcWebHead;
  /** The exchange; set once it has begun. */
  events!: ClientEvents;
  readonly #client: ClientSide;
  readonly #decoder = new Base64Decoder();
  /** Whether the response is one of gRPC. */
  #isConverting = false;
  #isMalformed = false;

  constructor(client: ClientSide, head: GrpcWebHead) {
    this.#client = client;
    this.head = head;
  }

  get connection(): ClientConnection {
    return this.#client.connection;
  }

  // ---- ClientSide

  sendInterim(head: ResponseHead): void {
    this.#client.sendInterim(head);
  }

  sendHead(head: ResponseHead, extra: FieldList): void {
    const type = head.field('content-type') ?? '';
    this.#isConverting = this.head.isConverted && GRPC.test(type);
    if (!this.#isConverting) return this.#client.sendHead(head, extra);
    const typeField = ['content-type', this.#typeOf(type)];
    if (head.bodyLength !== 0 || head.field('grpc-status') === undefined) {
      return this.#client.sendHead(new EditedResponseHead(head, TYPE_ALONE, true), [...typeField, ...extra]);
    }
    // Scripts can read the body, but the fields of other origins only where these expose them.
    const edited = new EditedResponseHead(head, REPLACED, true);
    this.#client.sendHead(edited, [...typeField, ...extra]);
    this.#client.sendData(this.#trailersFrame(statusOf(head.endToEndFields())));
  }

  sendData(chunk: Uint8Array): boolean {
    return this.#client.sendData(this.#isConverting ? this.#encoded(chunk) : chunk);
  }

  sendEnd(trailers: FieldList | null): void {
    if (!this.#isConverting) return this.#client.sendEnd(trailers);
    if (trailers !== null && trailers.length > 0) this.#client.sendData(this.#trailersFrame(trailers));
    this.#client.sendEnd(null);
  }

  /** A gRPC status without messages becomes a body that consists of its frame. */
  sendLocalReply(reply: LocalReply): void {
    const { fields } = reply;
    const at = fields.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-type');
    if (!this.head.isConverted || at < 0 || !GRPC.test(fields[at + 1]!)) return this.#client.sendLocalReply(reply);
    const kept = fields.filter((_, index) => !REPLACED.has(fields[index - (index % 2)]!.toLowerCase()));
    const body = this.#trailersFrame(statusOf(fields));
    this.#client.sendLocalReply({ ...reply, fields: ['content-type', this.#typeOf(fields[at + 1]!), ...kept], body });
  }

  cut(): void {
    this.#client.cut();
  }

  resumeBody(): void {
    this.#client.resumeBody();
  }

  pauseBody(): void {
    this.#client.pauseBody();
  }

  // ---- ClientEvents

  onBodyData(chunk: Uint8Array): void {
    if (!this.head.isConverted || !this.head.isText) return this.events.onBodyData(chunk);
    const bytes = this.#isMalformed ? null : this.#decoder.decode(chunk);
    if (bytes === null) this.#malformed();
    else if (bytes.length > 0) this.events.onBodyData(bytes);
  }

  onBodyEnd(trailers: FieldList | null): void {
    if (!this.head.isConverted) return this.events.onBodyEnd(trailers);
    if (this.#isMalformed || (this.head.isText && !this.#decoder.isWhole)) return this.#malformed();
    this.events.onBodyEnd(null);
  }

  onClientDrain(): void {
    this.events.onClientDrain();
  }

  onResponseFlushed(): void {
    this.events.onResponseFlushed();
  }

  onClientHalfClosed(afterMs: number): void {
    this.events.onClientHalfClosed(afterMs);
  }

  onClientGone(why: ClientGone): void {
    this.events.onClientGone(why);
  }

  /** The exchange replies, and the rest of the body is dropped. */
  #malformed(): void {
    if (this.#isMalformed) return;
    this.#isMalformed = true;
    this.events.onClientGone('malformed-body');
  }

  #typeOf(type: string): string {
    return type.replace(GRPC, this.head.wantsText ? 'application/grpc-web-text' : 'application/grpc-web');
  }

  /** Each chunk is padded by itself, as the protocol permits: no byte waits for the next chunk. */
  #encoded(bytes: Uint8Array): Uint8Array {
    if (!this.head.wantsText) return bytes;
    return Buffer.from(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'), 'latin1');
  }

  #trailersFrame(trailers: FieldList): Uint8Array {
    let text = '';
    for (let at = 0; at < trailers.length; at += 2) text += `${trailers[at]!.toLowerCase()}: ${trailers[at + 1]!}\r\n`;
    const frame = Buffer.alloc(5 + text.length);
    frame[0] = TRAILERS_FLAG;
    frame.writeUInt32BE(text.length, 1);
    frame.write(text, 5, 'latin1');
    return this.#encoded(frame);
  }
}

function statusOf(fields: FieldList): FieldList {
  return fields.filter((_, at) => STATUS_FIELDS.has(fields[at - (at % 2)]!.toLowerCase()));
}
