// Reads complete HTTP/1.1 streams with the codec, as a connection does: head, framing, body, next message. Bytes arrive in
// arbitrary pieces, each in its own buffer between unrelated bytes, so that a read outside its range is detected.

import { ChunkedDecoder } from '../../proxy/http1/chunked-decoder.ts';
import { CODEC_ERRORS } from '../../proxy/http1/codec-error.ts';
import { DecodeEvent } from '../../proxy/http1/decode-event.ts';
import { BodyKind, frameRequest, frameResponse, Framing } from '../../proxy/http1/framing.ts';
import { HeadScanner, Scan } from '../../proxy/http1/head-scanner.ts';
import { LengthDecoder } from './length-decoder.ts';
import { Method, MessageHead } from '../../proxy/http1/message-head.ts';

/** A complete message. */
export interface ReadMessage {
  /** Method and target, or version and status. */
  readonly start: readonly string[];
  /** Names and values in turn. */
  readonly fields: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[] | null;
  readonly isPersistent: boolean;
}

/** Result of reading a stream. */
export interface ReadResult {
  readonly messages: readonly ReadMessage[];
  /** Name of the error that ended it, or ''. */
  readonly error: string;
  readonly isHandedOff: boolean;
  /** Position at the end: between messages, in a head, or in a body. */
  readonly stoppedIn: 'idle' | 'head' | 'body';
}

const FOREIGN = 'Z: z\r\n\r\n';

/** Reads a stream in steps. Responses are to GET, unless `requestMethod` is set. */
class StreamReader {
  readonly messages: ReadMessage[] = [];
  error = 0;
  readonly #isResponse: boolean;
  readonly #requestMethod: number;
  readonly #scanner = new HeadScanner();
  readonly #head = new MessageHead();
  readonly #framing = new Framing();
  readonly #chunked = new ChunkedDecoder();
  readonly #length = new LengthDecoder();
  #rest: Buffer = Buffer.alloc(0);
  #seenBytes = 0;
  #body: string | null = null;

  constructor(side: 'request' | 'response', requestMethod: number = Method.GET) {
    this.#isResponse = side === 'response';
    this.#requestMethod = requestMethod;
  }

  feed(piece: Buffer): void {
    if (this.error !== 0) return;
    const around = Buffer.from(FOREIGN, 'latin1');
    const bytes = Buffer.concat([around, this.#rest, piece, around]);
    const end = bytes.length - around.length;
    let at = around.length;
    for (let next = at; next >= 0 && this.error === 0; ) {
      at = next;
      next = this.#body === null ? this.#readHead(bytes, at, end) : this.#readBody(bytes, at, end);
    }
    this.#rest = Buffer.from(bytes.subarray(this.#body === null ? at : end, end));
  }

  result(): ReadResult {
    const row = CODEC_ERRORS[this.error]!;
    return {
      messages: this.messages,
      error: this.error === 0 ? '' : row.name,
      isHandedOff: row.isHandedOff,
      stoppedIn: this.#body !== null ? 'body' : this.#rest.length > 0 ? 'head' : 'idle',
    };
  }

  /** @returns the offset to continue at, or -1 if more bytes are needed. */
  #readHead(bytes: Buffer, at: number, end: number): number {
    if (at === end) return -1;
    const scan = this.#isResponse ? 'scanResponse' : 'scanRequest';
    const result = this.#scanner[scan](this.#head, bytes, at, end, this.#seenBytes);
    this.#seenBytes = result === Scan.INCOMPLETE ? end - at : 0;
    if (result === Scan.INCOMPLETE) return -1;
    if (result !== Scan.COMPLETE) return this.#fail(result);
    const error = this.#isResponse
      ? frameResponse(this.#head, this.#framing, this.#requestMethod, false)
      : frameRequest(this.#head, this.#framing);
    if (error !== 0) return this.#fail(error);
    this.#body = '';
    this.#chunked.reset();
    const isEndless = this.#framing.body === BodyKind.UNTIL_CLOSE;
    this.#length.reset(isEndless ? Number.POSITIVE_INFINITY : this.#framing.lengthBytes);
    return this.#head.bodyStart;
  }

  #readBody(bytes: Buffer, from: number, end: number): number {
    const decoder = this.#framing.body === BodyKind.CHUNKED ? this.#chunked : this.#length;
    let at = from;
    for (;;) {
      const event = decoder.next(bytes, at, end);
      if (event > 0) return this.#fail(event);
      if (event === DecodeEvent.DATA) this.#body += bytes.toString('latin1', decoder.dataStart, decoder.dataEnd);
      if (event === DecodeEvent.NEED_MORE) return -1;
      at = decoder.position;
      if (event === DecodeEvent.DONE) return this.#finishMessage(at);
    }
  }

  #finishMessage(at: number): number {
    const head = this.#head;
    this.messages.push({
      start: this.#isResponse ? [`1.${head.minorVersion}`, String(head.status)] : [head.methodText, head.targetText],
      fields: head.fieldList(0),
      body: this.#body ?? '',
      trailers: this.#framing.body === BodyKind.CHUNKED ? this.#chunked.trailers : null,
      isPersistent: this.#framing.isPersistent,
    });
    this.#body = null;
    return at;
  }

  #fail(error: number): number {
    this.error = error;
    return -1;
  }
}

/** Reads `text` (latin1) split at the given offsets. */
export function readStream(
  text: string,
  side: 'request' | 'response',
  cuts: readonly number[] = [],
  requestMethod: number = Method.GET,
): ReadResult {
  const reader = new StreamReader(side, requestMethod);
  const bytes = Buffer.from(text, 'latin1');
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    reader.feed(bytes.subarray(from, cut));
    from = cut;
  }
  return reader.result();
}

/** Offsets that split `length` bytes into single ones. */
export function everyByte(length: number): number[] {
  return Array.from({ length: Math.max(0, length - 1) }, (_, index) => index + 1);
}
