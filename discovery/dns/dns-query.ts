// One question to one DNS server: over UDP, and over TCP where the answer is truncated (RFC 7766). A datagram counts only
// if it comes from the server's address and port to the socket of this question, with its id and its question: forged
// answers have to guess 32 random bits (RFC 5452). Thread: main.

import { randomInt } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, isIPv6, type Socket } from 'node:net';
import type { Timers } from '../../core/timers.ts';
import { decodeResponse, type DnsResponse, encodeQuery, type QueryType, RECORD_TYPE } from './dns-message.ts';

/** A server by address and port. */
export interface DnsServer {
  readonly host: string;
  readonly port: number;
}

/** A response, or a sentence about its absence: it completes "the server HOST". */
export type QueryOutcome =
  | { readonly ok: true; readonly response: DnsResponse }
  | { readonly ok: false; readonly cause: string };

/** A question that was sent. */
export interface RunningQuery {
  /** Ends it; `done` isn't called any more. */
  cancel(): void;
}

const PREFIX_BYTES = 2;

/** Sends a question, and calls `done` once. */
export function sendQuery(
  server: DnsServer,
  question: { readonly name: string; readonly type: QueryType },
  { timers, timeoutMs }: { readonly timers: Timers; readonly timeoutMs: number },
  done: (outcome: QueryOutcome) => void,
): RunningQuery {
  const query = new Query(server, question.name, question.type, done);
  const timer = timers.after(timeoutMs, () =>
    query.finish({ ok: false, cause: `doesn't answer within ${timeoutMs} ms` }),
  );
  query.onEnd = () => timer.cancel();
  query.start();
  return query;
}

class Query implements RunningQuery {
  onEnd: () => void = () => undefined;
  readonly #server: DnsServer;
  readonly #name: string;
  readonly #type: QueryType;
  readonly #done: (outcome: QueryOutcome) => void;
  readonly #id = randomInt(0x1_0000);
  #udp: UdpSocket | null = null;
  #tcp: Socket | null = null;
  #isOver = false;

  constructor(server: DnsServer, name: string, type: QueryType, done: (outcome: QueryOutcome) => void) {
    this.#server = server;
    this.#name = name.toLowerCase();
    this.#type = type;
    this.#done = done;
  }

  /** A connected socket has a random port, and the kernel drops datagrams of other senders. */
  start(): void {
    const bytes = encodeQuery(this.#id, this.#name, this.#type);
    if (bytes === null)
      return queueMicrotask(() => this.finish({ ok: false, cause: "can't be asked for such a name" }));
    const { host, port } = this.#server;
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    socket.unref();
    this.#udp = socket;
    socket.on('error', (error) => this.#fail(error));
    socket.on('message', (message) => this.#onDatagram(message, bytes));
    socket.on('connect', () => {
      if (!this.#isOver) socket.send(bytes);
    });
    socket.connect(port, host);
  }

  cancel(): void {
    this.#isOver = true;
    this.#close();
    this.onEnd();
  }

  finish(outcome: QueryOutcome): void {
    if (this.#isOver) return;
    this.cancel();
    this.#done(outcome);
  }

  /** A datagram that doesn't match is ignored: the true answer may follow it. */
  #onDatagram(message: Uint8Array, query: Uint8Array): void {
    if (this.#isOver || this.#tcp !== null) return;
    const response = this.#matching(message);
    if (response === null) return;
    if (response.isTruncated) this.#askOverTcp(query);
    else this.finish({ ok: true, response });
  }

  #matching(message: Uint8Array): DnsResponse | null {
    const response = decodeResponse(message);
    if (response === null || response.id !== this.#id) return null;
    const { name, type } = response.question;
    return name === this.#name && type === RECORD_TYPE[this.#type] ? response : null;
  }

  #askOverTcp(query: Uint8Array): void {
    const { host, port } = this.#server;
    const socket = connect({ host, port });
    socket.unref();
    this.#tcp = socket;
    let received = Buffer.alloc(0);
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.finish({ ok: false, cause: 'closes the connection without an answer' }));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < PREFIX_BYTES || received.length < PREFIX_BYTES + received.readUInt16BE(0)) return;
      const response = this.#matching(received.subarray(PREFIX_BYTES, PREFIX_BYTES + received.readUInt16BE(0)));
      if (response === null || response.isTruncated) this.finish({ ok: false, cause: 'sends a malformed answer' });
      else this.finish({ ok: true, response });
    });
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix.writeUInt16BE(query.length);
    socket.write(Buffer.concat([prefix, query]));
  }

  #fail(error: Error): void {
    const { code = error.message } = error as NodeJS.ErrnoException;
    this.finish({
      ok: false,
      cause: code === 'ECONNREFUSED' ? 'refuses the connection' : `can't be reached (${code})`,
    });
  }

  #close(): void {
    const socket = this.#udp;
    this.#udp = null;
    try {
      socket?.close();
    } catch {
      // The socket was closed by its error.
    }
    this.#tcp?.destroy();
  }
}
