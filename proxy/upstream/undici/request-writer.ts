// Writes requests to the socket of one connection, past undici. Thread: worker.

import type { Socket } from 'node:net';
import type { FieldList } from '../../../core/head.ts';
import { CHUNK_END, chunkHead, encodeLastChunk } from '../../http1/encoder.ts';
import type { EndpointLane } from '../endpoint-lane.ts';
import { RequestBodyFraming } from '../request-body-framing.ts';
import { keepReadableAfterWriteError } from '../write-errors.ts';

export class RequestWriter {
  /** Whether a byte of the current request was handed to the system; otherwise none can have reached the endpoint. */
  wasSent = false;
  writeError: Error | null = null;
  readonly #socket: Socket;
  readonly #lane: EndpointLane;
  readonly #body = new RequestBodyFraming();

  constructor(socket: Socket, lane: EndpointLane) {
    this.#socket = socket;
    this.#lane = lane;
    keepReadableAfterWriteError(socket, (error) => {
      this.writeError = error;
    });
  }

  /** @param bodyLength as in RequestHead */
  begin(bodyLength: number): void {
    this.wasSent = false;
    this.#body.begin(bodyLength);
  }

  /** Whether the current request was sent completely. */
  get isEnded(): boolean {
    return this.#body.isEnded;
  }

  sendHead(text: string): void {
    this.#write(text);
  }

  /** @returns whether the endpoint has room for more; null if the body is longer than announced */
  sendBody(chunk: Uint8Array): boolean | null {
    if (this.#body.isEnded || chunk.byteLength === 0) return true;
    if (!this.#body.add(chunk.byteLength)) return null;
    this.#socket.cork();
    if (this.#body.isChunked) this.#write(chunkHead(chunk.byteLength));
    this.#write(chunk);
    if (this.#body.isChunked) this.#write(CHUNK_END);
    this.#socket.uncork();
    return !this.#socket.writableNeedDrain;
  }

  /** @returns whether the body has the announced length */
  endBody(trailers: FieldList | null): boolean {
    if (this.#body.isEnded) return true;
    if (!this.#body.end()) return false;
    if (this.#body.isChunked) this.#write(encodeLastChunk(trailers));
    return true;
  }

  /** Discards the rest of the request. */
  abandon(): void {
    this.#body.abandon();
  }

  #write(chunk: Uint8Array | string): void {
    this.wasSent = true;
    this.#lane.add('bytesSent', chunk.length);
    if (typeof chunk === 'string') this.#socket.write(chunk, 'latin1');
    else this.#socket.write(chunk);
  }
}
