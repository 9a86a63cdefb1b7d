// The socket of one connection to an endpoint: batched writes, reads into reused buffers, events inside turns, byte
// counts. Thread: worker.

import type { Socket } from 'node:net';
import { ENDPOINT_FIELD } from '../../../core/memory/lane-fields.ts';
import { SocketWriter } from '../../wire/socket-writer.ts';
import type { Flushable, Turn } from '../../wire/turn.ts';
import type { WireMemory } from '../../wire/wire-memory.ts';
import { keepReadableAfterWriteError } from '../write-errors.ts';

const F = ENDPOINT_FIELD;

/** The state of the endpoint's bytes. LOST: the connection ended without FIN. */
export const Input = { OPEN: 0, FIN: 1, LOST: 2 } as const;

/** The connection that uses the socket. All events come inside a turn. */
export interface SocketUser {
  /** Whether the next bytes belong to a body, and whether they are to be read at all. */
  readonly isInBody: boolean;
  readonly isStopped: boolean;
  onBytes(bytes: Buffer, size: number): void;
  onDrain(): void;
  /** `input` of the socket is no longer OPEN. May come twice: FIN, then the close. */
  onInputEnd(): void;
  /** The socket is closed; the last event. */
  onClosed(): void;
  /** Adds to a field of the endpoint's lane. */
  count(field: number, amount: number): void;
}

export class EndpointSocket implements Flushable {
  /** How the socket reads: into a given buffer, without a stream (`onread` of net.connect). */
  readonly onread: { buffer: () => Uint8Array; callback: (size: number, bytes: Uint8Array) => boolean };
  input: number = Input.OPEN;
  writeError: Error | null = null;
  readonly #user: SocketUser;
  readonly #turn: Turn;
  readonly #memory: WireMemory;
  #socket: Socket | null = null;
  #writer: SocketWriter | null = null;
  #isTls = false;
  #isReadableAfterError = false;
  #isWriteDue = false;
  #countedBytes = 0;
  /** The read buffer of a body, which may be handed on without copying; null: the worker's shared one. */
  #bodyBuffer: Buffer | null = null;

  constructor(user: SocketUser, turn: Turn, memory: WireMemory) {
    this.#user = user;
    this.#turn = turn;
    this.#memory = memory;
    this.onread = {
      buffer: () => this.#bodyBuffer ?? memory.shared,
      callback: (size, bytes) => this.#onRead(size, bytes as Buffer),
    };
  }

  /** Adopts a connected socket. @param isTls TLS sockets can't read into a given buffer and are read as streams */
  open(socket: Socket, isTls: boolean): void {
    this.#socket = socket;
    this.#isTls = isTls;
    this.#writer = new SocketWriter(socket, isTls, this.#memory);
    this.#user.count(F.connectionsOpened, 1);
    this.#user.count(F.connectionsOpen, 1);
    socket.on('error', ignore);
    socket.on('drain', () => this.#onDrain());
    socket.on('end', () => this.#onInputEnd(Input.FIN));
    socket.on('close', () => this.#onClose());
    if (!isTls) return;
    socket.on('data', (bytes: Buffer) => {
      if (!this.#onRead(bytes.length, bytes)) socket.pause();
    });
  }

  /**
   * Keeps the response readable when a write fails, as writes of a body may: the endpoint answers early and closes. A
   * head alone leaves in one write, which nothing can have failed before.
   */
  expectBody(): void {
    if (this.#isReadableAfterError) return;
    this.#isReadableAfterError = true;
    keepReadableAfterWriteError(this.#socket!, (error) => {
      this.writeError = error;
    });
  }

  /** Bytes handed to the socket so far. */
  get sentBytes(): number {
    return this.#writer!.sentBytes;
  }

  get hasRoom(): boolean {
    return !this.#socket!.writableNeedDrain;
  }

  /** The writer. Call `writeLater` after adding to it. */
  get writer(): SocketWriter {
    return this.#writer!;
  }

  /** Writes what was added at the end of the turn. */
  writeLater(): void {
    if (this.#isWriteDue) return;
    this.#isWriteDue = true;
    this.#turn.later(this);
  }

  flush(): void {
    this.#isWriteDue = false;
    if (!this.#socket!.destroyed) this.#writer!.write();
  }

  /** Writes bytes now, without text. They may be changed afterwards unless WireMemory has kept them. */
  write(bytes: Uint8Array): void {
    if (this.#socket!.destroyed) return;
    this.#writer!.addChunk(bytes);
    this.#writer!.write();
  }

  resume(): void {
    this.#socket!.resume();
  }

  /** Adds the bytes sent since the last call to the endpoint's lane. */
  countSent(): void {
    const { sentBytes } = this.#writer!;
    this.#user.count(F.bytesSent, sentBytes - this.#countedBytes);
    this.#countedBytes = sentBytes;
  }

  destroy(): void {
    this.countSent();
    this.#writer!.drop();
    this.#socket!.destroy();
  }

  /** @returns whether reading continues */
  #onRead(size: number, bytes: Buffer): boolean {
    const user = this.#user;
    user.count(F.bytesReceived, size);
    this.#turn.begin();
    user.onBytes(bytes, size);
    this.#turn.end();
    if (!this.#isTls && (this.#bodyBuffer !== null || user.isInBody)) this.#chooseBuffer(user.isInBody);
    return !user.isStopped;
  }

  #chooseBuffer(isInBody: boolean): void {
    const memory = this.#memory;
    if (this.#bodyBuffer !== null && memory.wasKept(this.#bodyBuffer)) this.#bodyBuffer = null;
    if (isInBody) {
      this.#bodyBuffer ??= memory.takeBody();
      return;
    }
    if (this.#bodyBuffer !== null) memory.giveBody(this.#bodyBuffer);
    this.#bodyBuffer = null;
  }

  #onDrain(): void {
    this.#turn.begin();
    this.#user.onDrain();
    this.#turn.end();
  }

  #onInputEnd(input: number): void {
    if (this.input === Input.OPEN) this.input = input;
    this.#turn.begin();
    this.#user.onInputEnd();
    this.#turn.end();
  }

  #onClose(): void {
    this.#user.count(F.connectionsOpen, -1);
    this.#onInputEnd(Input.LOST);
    this.#user.onClosed();
  }
}

function ignore(): void {
  // 'close' follows every 'error' and is handled.
}
