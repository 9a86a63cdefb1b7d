// Heartbeats that are a dialogue over TCP: the connection, the buffer and the verdict. What is sent and expected is in one
// file for each protocol. Thread: main.

import type { Socket } from 'node:net';
import type { Dialling } from '../../net/dial.ts';
import { resultOfError } from './check-errors.ts';
import type { HeartbeatResult, HeartbeatTarget, RunningCheck } from './checker.ts';
import { connectHeartbeat } from './heartbeat-connection.ts';

/** Answers of a heartbeat are small; an endpoint that sends more speaks another protocol, or is hostile. */
const MAX_ANSWER_BYTES = 65_536;

/** The reaction to received bytes. */
export interface DialogueStep {
  /** Received bytes that were used; the others come again with those that follow. */
  readonly used: number;
  /** Bytes to send. */
  readonly send?: Uint8Array;
  /** Ends the heartbeat; `send` is sent before. */
  readonly result?: HeartbeatResult;
}

/** The protocol of one heartbeat: bytes in, bytes and a verdict out. */
export interface Dialogue {
  /** Bytes to send on connecting; empty where the server speaks first. */
  open(): Uint8Array;
  /** @returns null while the bytes are not a whole message */
  receive(bytes: Buffer): DialogueStep | null;
  /** Result where the endpoint closes the connection before there is another one. */
  readonly atEnd?: HeartbeatResult;
}

export const PASSED: HeartbeatResult = { kind: 'ok', cause: 'answered' };

export function failed(cause: string): HeartbeatResult {
  return { kind: 'fail', cause };
}

/** Runs one heartbeat. */
export function runDialogue(
  target: HeartbeatTarget,
  dialogue: Dialogue,
  done: (result: HeartbeatResult) => void,
): RunningCheck {
  const check = new DialogueCheck(target, dialogue, done);
  check.begin();
  return check;
}

class DialogueCheck implements RunningCheck {
  readonly #target: HeartbeatTarget;
  readonly #dialogue: Dialogue;
  readonly #done: (result: HeartbeatResult) => void;
  #dialling: Dialling | null = null;
  #socket: Socket | null = null;
  #held: Buffer = Buffer.alloc(0);
  #isOver = false;

  constructor(target: HeartbeatTarget, dialogue: Dialogue, done: (result: HeartbeatResult) => void) {
    this.#target = target;
    this.#dialogue = dialogue;
    this.#done = done;
  }

  phase(): string {
    return this.#socket === null ? (this.#dialling?.phase ?? 'connecting') : 'waiting for the answer';
  }

  cancel(): void {
    this.#isOver = true;
    this.#dialling?.abort();
    this.#socket?.destroy();
  }

  begin(): void {
    this.#dialling = connectHeartbeat(this.#target, 'as-sessions', (error, socket) => {
      if (socket === null) this.#end(resultOfError(error));
      else this.#converse(socket);
    });
  }

  #converse(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', (error) => this.#end(resultOfError(error)));
    socket.on('data', (bytes: Buffer) => this.#received(bytes));
    socket.on('end', () => this.#closed());
    socket.on('close', () => this.#closed());
    const first = this.#dialogue.open();
    if (first.length > 0) socket.write(first);
  }

  #received(bytes: Buffer): void {
    if (this.#isOver) return;
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    for (let step = this.#step(); step !== null; step = this.#step()) {
      this.#held = this.#held.subarray(step.used);
      if (step.send !== undefined) this.#socket!.write(step.send);
      if (step.result !== undefined) return this.#finish(step.result);
    }
    if (this.#held.length > MAX_ANSWER_BYTES) this.#end(failed('an answer that is too large'));
  }

  /** A dialogue reads bytes of the network: what it can't read is the endpoint's fault. */
  #step(): DialogueStep | null {
    if (this.#isOver) return null;
    try {
      return this.#dialogue.receive(this.#held);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { used: 0, result: failed('a malformed answer') };
    }
  }

  #closed(): void {
    this.#end(this.#dialogue.atEnd ?? failed('connection closed before the answer'));
  }

  /** Ends in order: some servers count connections that are cut against the client's address. */
  #finish(result: HeartbeatResult): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket!.end();
    this.#socket!.resume();
    this.#socket!.setTimeout(this.#target.heartbeat.timeoutMs, () => this.#socket!.destroy());
    this.#done(result);
  }

  #end(result: HeartbeatResult): void {
    if (this.#isOver) return;
    this.cancel();
    this.#done(result);
  }
}
