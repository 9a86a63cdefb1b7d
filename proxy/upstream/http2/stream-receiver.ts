// The response of one stream: order of its parts, announced length, receive window, and the bytes that wait for a slow
// client. Thread: worker.

import { type FieldList, UNKNOWN_LENGTH } from '../../../core/head.ts';
import { isTrailerName } from '../../http1/trailer-section.ts';
import { ErrorCode } from '../../http2/error-code.ts';
import { ReceiveWindow } from '../../http2/flow-window.ts';
import { HeldBytes } from '../../wire/held-bytes.ts';
import { MAX_INTERIM_RESPONSES } from '../response-reader.ts';
import { faultOfFields, type Http2ResponseHead, readHttp2ResponseHead } from './http2-response-head.ts';

/** Our window for one response: also the limit of what is held for a slow client. Enough for 250 MB/s at 1 ms. */
export const STREAM_WINDOW_BYTES = 262_144;

const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

export class StreamReceiver {
  /** Whether the final head was received. */
  hasHead = false;
  /** Whether the endpoint has ended its side. */
  isEnded = false;
  /** Whether the exchange takes no more for now. */
  isStopped = false;
  trailers: FieldList | null = null;
  /** How the endpoint broke the protocol on this stream; '' if it has not. */
  fault = '';
  faultCode: ErrorCode = ErrorCode.PROTOCOL_ERROR;
  readonly #window = new ReceiveWindow(STREAM_WINDOW_BYTES);
  readonly #held = new HeldBytes();
  /** Announced bytes that have not come yet. */
  #owedBytes = Number.POSITIVE_INFINITY;
  #hasLength = false;
  #interimCount = 0;
  /** Delivered, but the exchange had stopped: returned as credit when it resumes. */
  #uncreditedBytes = 0;

  /** Reads a header block. @returns the head; null for trailers, and where the block is malformed: see `fault` */
  takeHeaders(fields: FieldList, method: string, isLast: boolean): Http2ResponseHead | null {
    if (this.isEnded) return this.#break('HEADERS after the end of the response', ErrorCode.STREAM_CLOSED);
    if (this.hasHead) return this.#takeTrailers(fields, isLast);
    const head = readHttp2ResponseHead(fields, method, isLast);
    if (typeof head === 'string') return this.#break(head);
    if (head.status >= 200) return this.#takeHead(head, method, isLast);
    this.#interimCount += 1;
    return this.#interimCount > MAX_INTERIM_RESPONSES ? this.#break('too many interim responses') : head;
  }

  #takeHead(head: Http2ResponseHead, method: string, isLast: boolean): Http2ResponseHead | null {
    // The length of an accepted CONNECT says nothing, nor does 204 (RFC 9110 section 9.3.6).
    const isTunnel = method === 'CONNECT' && head.status < 300;
    const isEmpty = head.status === NO_CONTENT || head.status === NOT_MODIFIED;
    const hasNoBody = method === 'HEAD' || (isEmpty && !isTunnel);
    this.hasHead = true;
    this.#hasLength = hasNoBody || (head.declaredBytes !== UNKNOWN_LENGTH && !isTunnel);
    if (this.#hasLength) this.#owedBytes = hasNoBody ? 0 : head.declaredBytes;
    return isLast && !this.takeEnd(null) ? null : head;
  }

  #takeTrailers(fields: FieldList, isLast: boolean): null {
    const fault = isLast ? faultOfFields(fields) : 'a second head, or trailers that do not end the stream';
    if (fault !== '') return this.#break(fault);
    const kept = fields.filter((_, at) => isTrailerName(fields[at - (at % 2)]!));
    this.takeEnd(kept.length > 0 ? kept : null);
    return null;
  }

  /** Counts a DATA frame with its padding. @returns false if the endpoint may not have sent it: see `fault` */
  takeFrame(flowBytes: number): boolean {
    if (this.isEnded) this.#break('DATA after the end of the response', ErrorCode.STREAM_CLOSED);
    else if (!this.hasHead) this.#break('DATA before the response head');
    else if (!this.#window.receive(flowBytes)) this.#break('DATA beyond its window', ErrorCode.FLOW_CONTROL_ERROR);
    return this.fault === '';
  }

  /** Counts bytes of the body. @returns false if they are more than announced */
  takeData(sizeBytes: number): boolean {
    this.#owedBytes -= sizeBytes;
    if (this.#owedBytes < 0) this.#break('a body longer than its Content-Length');
    return this.#owedBytes >= 0;
  }

  /** @returns false if the body is shorter than announced */
  takeEnd(trailers: FieldList | null): boolean {
    this.isEnded = true;
    this.trailers = trailers;
    if (this.#hasLength && this.#owedBytes > 0) this.#break('a body shorter than its Content-Length');
    return this.fault === '';
  }

  /**
   * RST_STREAM was received. NO_ERROR is taken in place of END_STREAM: node:http2 sends it so while its socket is busy.
   * @returns whether it ends the response
   */
  takeReset(code: number): boolean {
    return code === ErrorCode.NO_ERROR && this.hasHead && !this.isEnded && this.takeEnd(null);
  }

  #break(reason: string, code: ErrorCode = ErrorCode.PROTOCOL_ERROR): null {
    this.fault = reason;
    this.faultCode = code;
    return null;
  }

  hold(bytes: Buffer, start: number, end: number): void {
    this.#held.addCopy(bytes, start, end);
  }

  get hasHeld(): boolean {
    return this.#held.length > 0;
  }

  /** Removes and returns what is held. */
  release(): Buffer {
    const { bytes, start, end } = this.#held;
    this.#held.clear();
    return bytes.subarray(start, end);
  }

  discard(): void {
    this.#held.clear();
  }

  /** Counts bytes that the exchange has taken, or padding. @returns the credit to return now; 0 for none */
  credit(sizeBytes: number): number {
    if (this.isEnded) return 0;
    this.#uncreditedBytes += sizeBytes;
    if (this.isStopped) return 0;
    const owed = this.#uncreditedBytes;
    this.#uncreditedBytes = 0;
    return this.#window.consume(owed);
  }
}
