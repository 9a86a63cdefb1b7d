// Writes the responses of one connection as bytes: framing, and the end of what has been written. Thread: worker.

import type { Socket } from 'node:net';
import type { LocalReply } from '../../../core/exchange-contract.ts';
import type { FieldList, ResponseHead } from '../../../core/head.ts';
import { CHUNK_END, chunkHead, encodeLastChunk } from '../../http1/encoder.ts';
import { CONNECTION_CLOSE, type FieldLines } from '../../http1/field-line.ts';
import { SocketWriter } from '../../wire/socket-writer.ts';
import type { Flushable } from '../../wire/turn.ts';
import type { ClientSocket } from '../accept/client-socket.ts';
import { LocalReplyHead } from '../local-reply-head.ts';
import type { Http1Context } from './http1-context.ts';
import { ResponseFraming, safeTrailers } from './response-encoder.ts';
import { SendTimeout } from './send-timeout.ts';
import { Added } from '../added.ts';

/** State of a response whose head has not been written. */
const UNSENT = -1;

const NO_CONTENT = 204;
const NOT_MODIFIED = 304;
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** Owner of a writer. */
export interface ResponseOwner {
  /** The whole response has been handed to the kernel. */
  responseFlushed(): void;
  /** The client reads too slowly. */
  sendTimedOut(): void;
}

export class ResponseWriter implements Flushable {
  readonly #owner: ResponseOwner;
  readonly #context: Http1Context;
  readonly #socket: Socket;
  readonly #isTls: boolean;
  readonly #writer: SocketWriter;
  readonly #timeout: SendTimeout;
  #framing: number = UNSENT;
  #isHeadRequest = false;
  #understandsChunked = true;
  /** Body bytes still to be written of a declared length. */
  #owedBytes = 0;
  #isWriteDue = false;
  #isEnded = false;
  /** Nothing is written any more: flushed, or aborted. */
  #isOver = true;

  /** @param sendIdleMs how long the client may take no byte */
  constructor(owner: ResponseOwner, context: Http1Context, client: ClientSocket, sendIdleMs: number) {
    this.#owner = owner;
    this.#context = context;
    this.#socket = client.stream;
    this.#isTls = client.stream !== client.raw || 'encrypted' in client.stream;
    this.#writer = new SocketWriter(this.#socket, this.#isTls, context.memory);
    this.#timeout = new SendTimeout(client, context, sendIdleMs, () => owner.sendTimedOut());
  }

  /**
   * Starts a response.
   * @param isHeadRequest whether it answers HEAD, and so has no body
   * @param understandsChunked whether the client does; HTTP/1.0 has no chunked coding
   */
  begin(isHeadRequest: boolean, understandsChunked: boolean): void {
    this.#framing = UNSENT;
    this.#isHeadRequest = isHeadRequest;
    this.#understandsChunked = understandsChunked;
    this.#isEnded = false;
    this.#isOver = false;
  }

  get isHeadSent(): boolean {
    return this.#framing !== UNSENT;
  }

  /** Whether the whole response has been added. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  addContinue(): void {
    this.#writer.addText(CONTINUE);
    this.#writeLater();
  }

  addInterim(head: ResponseHead): void {
    this.#writer.addText(this.#context.encoder.interim(head));
    this.#writeLater();
  }

  /** Adds the final head. @param persistence lines that say whether the connection stays open */
  addHead(head: ResponseHead, extra: FieldList, persistence: FieldLines): void {
    const framing = this.#framingOf(head);
    this.#framing = framing;
    this.#owedBytes = head.bodyLength;
    this.#writer.addText(this.#context.encoder.final(head, extra, framing, persistence));
    this.#writeLater();
  }

  addData(chunk: Uint8Array): Added {
    if (this.#isEnded || this.#framing === ResponseFraming.NONE || chunk.byteLength === 0) return Added.ROOM;
    const writer = this.#writer;
    if (this.#framing === ResponseFraming.CHUNKED) {
      writer.addText(chunkHead(chunk.byteLength));
      writer.addChunk(chunk);
      writer.addText(CHUNK_END);
    } else if (this.#framing === ResponseFraming.UNTIL_CLOSE) writer.addChunk(chunk);
    else {
      this.#owedBytes -= chunk.byteLength;
      // More than was declared would be read as the next response (response splitting).
      if (this.#owedBytes < 0) return Added.OVERRUN;
      writer.addChunk(chunk);
    }
    this.#writeLater();
    return this.#socket.writableNeedDrain ? Added.FULL : Added.ROOM;
  }

  /** Ends the response. @returns false where it is shorter than declared: the client must not take it for the whole */
  addEnd(trailers: FieldList | null): boolean {
    if (this.#framing === UNSENT || (this.#framing === ResponseFraming.LENGTH && this.#owedBytes > 0)) return false;
    if (this.#framing === ResponseFraming.CHUNKED) {
      this.#writer.addText(encodeLastChunk(trailers === null ? null : safeTrailers(trailers)));
    }
    this.#end();
    return true;
  }

  addLocalReply(reply: LocalReply, persistence: FieldLines): void {
    this.addHead(new LocalReplyHead(reply), [], persistence);
    if (this.#framing === ResponseFraming.LENGTH && reply.body.byteLength > 0) this.#writer.addChunk(reply.body);
    this.#end();
  }

  /** Writes the reply to an unparsable request at once: the connection ends after it. */
  writeRefusal(reply: LocalReply): void {
    const { encoder } = this.#context;
    this.#writer.addText(encoder.final(new LocalReplyHead(reply), [], ResponseFraming.LENGTH, CONNECTION_CLOSE));
    this.#writer.addChunk(reply.body);
    this.#writer.write();
  }

  /** Drops everything that has not been written: the connection is being reset, or is gone. */
  abort(): void {
    this.#isOver = true;
    this.#timeout.end();
    this.#writer.drop();
  }

  /** The socket takes bytes again. */
  drained(): void {
    this.#timeout.end();
  }

  flush(): void {
    this.#isWriteDue = false;
    if (this.#isOver) return;
    if (this.#isEnded) this.#flushLast();
    else {
      if (!this.#writer.isEmpty) this.#writer.write();
      if (this.#socket.writableNeedDrain) this.#timeout.begin();
    }
  }

  #flushLast(): void {
    const socket = this.#socket;
    const isEmpty = this.#writer.isEmpty;
    if (!isEmpty) this.#writer.write(this.#isTls ? this.#onWritten : undefined);
    if (socket.writableLength === 0) {
      this.#flushed();
      return;
    }
    if (!this.#isTls || socket.writableNeedDrain) this.#timeout.begin();
    else this.#timeout.beginUnlessWritten();
    // An empty write: its callback runs after everything that is queued.
    if (isEmpty || !this.#isTls) socket.write('', 'latin1', this.#onWritten);
  }

  readonly #onWritten = (error?: Error | null): void => {
    if (error || this.#isOver || !this.#isEnded) return;
    const { turn } = this.#context;
    turn.begin();
    this.#flushed();
    turn.end();
  };

  #flushed(): void {
    this.#isOver = true;
    this.#timeout.end();
    this.#owner.responseFlushed();
  }

  #end(): void {
    this.#isEnded = true;
    this.#writeLater();
  }

  #writeLater(): void {
    if (this.#isWriteDue) return;
    this.#isWriteDue = true;
    this.#context.turn.later(this);
  }

  #framingOf(head: ResponseHead): ResponseFraming {
    const { status } = head;
    if (status === NO_CONTENT || status === NOT_MODIFIED || this.#isHeadRequest) return ResponseFraming.NONE;
    if (head.hasLength && head.bodyLength >= 0) return ResponseFraming.LENGTH;
    return this.#understandsChunked ? ResponseFraming.CHUNKED : ResponseFraming.UNTIL_CLOSE;
  }
}
