// Invariants of the HTTP/2 codec for any bytes of a client: every split is read alike, and requests are read as nghttp2
// reads them, or refused. Used by the fuzzing loop and by its short run in the tests.

import assert from 'node:assert/strict';
import { type Random, randomBelow } from '../../core/random.ts';
import { Framing } from '../../proxy/http1/framing.ts';
import { MessageHead } from '../../proxy/http1/message-head.ts';
import { ErrorCode } from '../../proxy/http2/error-code.ts';
import { FrameReader, type FrameSink } from '../../proxy/http2/frame-reader.ts';
import { RequestReader } from '../../proxy/http2/request-reader.ts';
import { LAST_PING, type NodeReading, readWithNode } from '../support/http2-in-memory.ts';

const LIST_BYTES = 65_535;
const RULES = {
  listBytes: LIST_BYTES,
  fields: 1000,
  underscores: 'pass',
  pathBytes: LIST_BYTES,
  enablesConnectProtocol: false,
} as const;

/** Turns of the event loop in which node:http2 mostly has read everything, and for a second look. */
const TURNS = 30;
const MANY_TURNS = 2000;

/** Our reading of a client's frames. */
class Reading implements FrameSink {
  /** All events, as text. */
  readonly events: string[] = [];
  /** Heads of HTTP/1.1 by stream. */
  readonly requests = new Map<number, string>();
  readonly refused = new Set<number>();
  /** Codes of errors of streams; nghttp2 ends the connection for some of them. */
  readonly streamFailures = new Set<number>();
  /** The code of the connection's error; -1 where there is none. */
  failure = -1;
  readonly frames: FrameReader = new FrameReader(this);
  readonly #requests = new RequestReader(4096, RULES);
  readonly #head = new MessageHead();
  readonly #framing = new Framing();
  #lastStream = 0;

  onDataStart(stream: number, flowBytes: number): void {
    this.events.push(`data ${stream} ${flowBytes}`);
  }

  onData(_stream: number, bytes: Uint8Array, start: number, end: number): void {
    this.events.push(...Array.from(bytes.subarray(start, end), (byte) => `byte ${byte}`));
  }

  onDataEnd(stream: number, isEndStream: boolean): void {
    this.events.push(`data end ${stream} ${isEndStream}`);
  }

  onHeaders(stream: number, isEndStream: boolean, block: Uint8Array, start: number, end: number): void {
    const isRequest = stream % 2 === 1 && stream > this.#lastStream;
    const fault = isRequest
      ? this.#requests.read(block, start, end, isEndStream, this.#head, this.#framing)
      : this.#requests.readTrailers(block, start, end);
    this.events.push(
      `headers ${stream} ${isEndStream} ${fault} ${isRequest ? '' : JSON.stringify(this.#requests.trailers)}`,
    );
    if (fault === 'compression') return this.#fail(ErrorCode.COMPRESSION_ERROR);
    if (!isRequest) return;
    this.#lastStream = stream;
    if (fault !== null) this.refused.add(stream);
    else this.requests.set(stream, this.#head.text);
  }

  onReset(stream: number, code: number): void {
    this.events.push(`reset ${stream} ${code}`);
  }

  onSettings(bytes: Uint8Array, start: number, end: number): void {
    this.events.push(`settings ${Buffer.from(bytes.subarray(start, end)).toString('hex')}`);
  }

  onSettingsAck(): void {
    this.events.push('settings ack');
  }

  onPing(isAck: boolean, bytes: Uint8Array, start: number): void {
    this.events.push(`ping ${isAck} ${Buffer.from(bytes.subarray(start, start + 8)).toString('hex')}`);
  }

  onGoaway(lastStream: number, code: number): void {
    this.events.push(`goaway ${lastStream} ${code}`);
  }

  onWindowUpdate(stream: number, increment: number): void {
    this.events.push(`window ${stream} ${increment}`);
  }

  onStreamError(stream: number, code: ErrorCode): void {
    this.events.push(`stream error ${stream} ${code}`);
    this.streamFailures.add(code);
  }

  onConnectionError(code: ErrorCode, reason: string): void {
    this.events.push(`connection error ${code} ${reason}`);
    this.failure = code;
  }

  #fail(code: ErrorCode): void {
    this.failure = code;
    this.frames.shut();
  }
}

/** Reads bytes in pieces. @param cuts offsets, ascending */
function read(bytes: Buffer, cuts: readonly number[]): Reading {
  const reading = new Reading();
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    // A copy: ranges must not be used after the call.
    const piece = Buffer.from(bytes.subarray(from, to));
    reading.frames.feed(piece, 0, piece.length);
    piece.fill(0xa5);
    from = to;
  }
  return reading;
}

/** Throws if an invariant fails for these frames. */
export async function checkInput(input: Buffer, random: Random): Promise<void> {
  const bytes = Buffer.concat([input, LAST_PING]);
  const whole = read(bytes, []);
  const everyByte = Array.from({ length: bytes.length }, (_, at) => at);
  const some = Array.from({ length: 5 }, () => randomBelow(random, bytes.length + 1)).toSorted((a, b) => a - b);
  for (const cuts of [everyByte, some]) assert.deepEqual(read(bytes, cuts).events, whole.events);
  const difference = differenceOf(whole, await readWithNode(bytes, TURNS));
  if (difference !== null) assert.equal(differenceOf(whole, await readWithNode(bytes, MANY_TURNS)), null);
}

/** Codes of faults in single frames and blocks, which depend on no state of a stream. */
const STATELESS: readonly number[] = [ErrorCode.COMPRESSION_ERROR, ErrorCode.FRAME_SIZE_ERROR];

/** @returns null where both readings agree, or we are stricter */
function differenceOf(ours: Reading, node: NodeReading): string | null {
  for (const [stream, head] of ours.requests) {
    const fields = node.requests.get(stream);
    // nghttp2 may have ended the connection for the state of a stream, or before a request of the same read.
    if (fields === undefined && node.goaway < 0) return `nghttp2 refuses ${stream}: ${JSON.stringify(head)}`;
    if (fields !== undefined && headOf(fields) !== head) {
      return `stream ${stream}: ${JSON.stringify(head)}, nghttp2: ${JSON.stringify(headOf(fields))}`;
    }
  }
  for (const [stream, fields] of node.requests) {
    const isKnown = ours.requests.has(stream) || ours.refused.has(stream) || ours.failure >= 0;
    if (!isKnown) return `only nghttp2 reads ${stream}: ${fields.join('|')}`;
  }
  // Both have read everything; nghttp2 judges the size of a frame before it has the whole frame.
  const isRead = ours.events.at(-1) === `ping false ${LAST_PING.subarray(9).toString('hex')}`;
  const isMissed =
    isRead && STATELESS.includes(node.goaway) && ours.failure < 0 && !ours.streamFailures.has(node.goaway);
  return isMissed ? `nghttp2 ends the connection with ${node.goaway}` : null;
}

/** The head of HTTP/1.1 that fields in the order of nghttp2 stand for. */
function headOf(fields: readonly string[]): string {
  let lines = '';
  let host = '';
  const pseudo: Record<string, string> = {};
  const crumbs: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const [name, value] = [fields[at]!, fields[at + 1]!];
    if (name.startsWith(':')) pseudo[name] = value;
    else if (name === 'cookie') crumbs.push(value);
    else if (name === 'host') host = value;
    else lines += `${name}: ${value}\r\n`;
  }
  if (crumbs.length > 0) lines += `cookie: ${crumbs.join('; ')}\r\n`;
  const authority = pseudo[':authority'] ?? host;
  return `${pseudo[':method']} ${pseudo[':path']} HTTP/1.1\r\nhost: ${authority}\r\n${lines}\r\n`;
}
