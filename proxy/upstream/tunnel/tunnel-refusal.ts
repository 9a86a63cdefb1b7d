// Relays an endpoint's final response to an Upgrade request. The client's connection closes after it, because node:http
// has detached it. Thread: worker.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { encodeOwnResponseHead, chunkHead, CHUNK_END, LAST_CHUNK } from '../../http1/encoder.ts';
import type { FieldList } from '../../../core/head.ts';
import {
  CONNECTION_CLOSE,
  contentLengthLine,
  fieldLines,
  joinLines,
  NO_LINES,
  TRANSFER_ENCODING_CHUNKED,
} from '../../http1/field-line.ts';
import { LENGTH } from './upgrade-request.ts';

/** The two sides of a tunnel. */
export interface RefusalSockets {
  readonly client: Duplex;
  readonly endpoint: Duplex;
}

/** The outcome of a relayed refusal. */
export interface RefusalEvents {
  /** The whole response was written. */
  onRelayed(): void;
  /** The endpoint's connection ended inside the response. */
  onTruncated(): void;
}

/** A final response as HTTP/1.1, with our own framing. */
export class RefusalWriter {
  readonly #client: Duplex;
  readonly #isChunked: boolean;

  /**
   * Writes the head.
   * @param lengthBytes of the body; null where it is unknown
   * @throws TypeError if a field can't be written
   */
  constructor(client: Duplex, status: number, reason: string, fields: FieldList, lengthBytes: number | null) {
    const isBodyless = status === 204 || status === 304;
    this.#client = client;
    this.#isChunked = !isBodyless && lengthBytes === null;
    const framing = isBodyless
      ? NO_LINES
      : lengthBytes === null
        ? TRANSFER_ENCODING_CHUNKED
        : contentLengthLine(lengthBytes);
    const lines = joinLines(fieldLines(fields), joinLines(framing, CONNECTION_CLOSE));
    client.write(encodeOwnResponseHead(status, reason, lines), 'latin1');
  }

  /** @returns false if the client is slower: stop until its 'drain' */
  write(chunk: Uint8Array): boolean {
    if (chunk.byteLength === 0) return true;
    this.#client.cork();
    if (this.#isChunked) this.#client.write(chunkHead(chunk.byteLength), 'latin1');
    let hasRoom = this.#client.write(chunk);
    if (this.#isChunked) hasRoom = this.#client.write(CHUNK_END, 'latin1');
    this.#client.uncork();
    return hasRoom;
  }

  /** Ends the body; the connection is its owner's to close. */
  end(): void {
    if (this.#isChunked) this.#client.write(LAST_CHUNK, 'latin1');
  }
}

/** The refusal of an HTTP/1.1 endpoint. */
export class TunnelRefusal {
  readonly #answer: IncomingMessage;
  readonly #client: Duplex;
  readonly #endpoint: Duplex;
  readonly #events: RefusalEvents;
  readonly #writer: RefusalWriter;
  #isOver = false;

  /** @throws TypeError if a field of the head can't be written */
  constructor(answer: IncomingMessage, fields: FieldList, sockets: RefusalSockets, events: RefusalEvents) {
    const { client, endpoint } = sockets;
    this.#answer = answer;
    this.#endpoint = endpoint;
    this.#client = client;
    this.#events = events;
    const { statusCode = 502, statusMessage = '' } = answer;
    const length = answer.headers['content-length'] ?? '';
    const lengthBytes = LENGTH.test(length) ? Number(length) : null;
    this.#writer = new RefusalWriter(client, statusCode, statusMessage, fields, lengthBytes);
    answer.on('data', this.#onData);
    answer.on('end', this.#onEnd);
    answer.on('error', this.#onCut);
    answer.on('close', this.#onCut);
    client.on('drain', this.#onDrain);
  }

  /** Stops relaying; no event follows. */
  stop(): void {
    this.#isOver = true;
    this.#client.off('drain', this.#onDrain);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.#isOver && !this.#writer.write(chunk)) this.#answer.pause();
  };

  readonly #onDrain = (): void => {
    this.#answer.resume();
  };

  readonly #onEnd = (): void => {
    if (this.#isOver) return;
    // node:http reports a reset as the end of a close-delimited body.
    if (this.#endpoint.errored !== null) return this.#onCut();
    this.stop();
    this.#writer.end();
    this.#events.onRelayed();
  };

  readonly #onCut = (): void => {
    if (this.#isOver) return;
    this.stop();
    this.#events.onTruncated();
  };
}
