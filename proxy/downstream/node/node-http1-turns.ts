// Requests of one node:http connection in the order received: the first is being served, the others are pipelined behind
// it. Thread: worker.

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { NodeHttp1ClientSide } from './node-http1-client-side.ts';

/** Pipelined requests that are queued; the socket isn't read beyond them (memory exhaustion by pipelining). */
const MAX_WAITING_TURNS = 16;

/** One request, or an unparsable one, on a connection. */
export interface NodeHttp1Turn {
  /** Null where no request could be parsed. */
  readonly side: NodeHttp1ClientSide | null;
  readonly request: IncomingMessage | null;
  /** Begins serving it. @param receivedMs monotonic ms at which its first byte was received */
  begin(receivedMs: number): void;
  /** Resumes parsing after it; null where node:http does so by itself. */
  readonly goOn: (() => void) | null;
  /** Whether it may become a tunnel, which then uses the socket. */
  readonly isUpgrade: boolean;
}

/** Whether part of the request has not been received. */
export function isIncomplete(turn: NodeHttp1Turn): boolean {
  return turn.request !== null && !turn.request.complete;
}

export class NodeHttp1Turns {
  readonly #stream: Socket;
  readonly #turns: NodeHttp1Turn[] = [];
  #isHolding = false;
  #isStreamed = false;

  constructor(stream: Socket) {
    this.#stream = stream;
  }

  get length(): number {
    return this.#turns.length;
  }

  get current(): NodeHttp1Turn | undefined {
    return this.#turns[0];
  }

  get last(): NodeHttp1Turn | undefined {
    return this.#turns.at(-1);
  }

  push(turn: NodeHttp1Turn): void {
    this.#turns.push(turn);
    if (this.#turns.length > MAX_WAITING_TURNS) this.#hold();
  }

  /** Removes the current turn. */
  shift(): NodeHttp1Turn {
    const turn = this.#turns.shift()!;
    if (this.#isHolding && this.#turns.length <= MAX_WAITING_TURNS / 2) {
      this.#isHolding = false;
      this.#stream.resume();
    }
    return turn;
  }

  /** Removes the last turn. */
  pop(): void {
    this.#turns.pop();
  }

  /** Lets the socket be read: no further turn is served. */
  release(): void {
    this.#isHolding = false;
  }

  /** Pauses the socket again while turns are held: node:http resumes it at the end of each request that it parses. */
  holdAgain(): void {
    if (this.#isHolding) this.#stream.pause();
  }

  #hold(): void {
    if (this.#isHolding) return;
    this.#isHolding = true;
    // Without a 'data' listener node:http reads the handle past the stream, and a pause holds nothing.
    if (!this.#isStreamed) this.#stream.on('data', () => undefined);
    this.#isStreamed = true;
    this.#stream.pause();
  }
}
