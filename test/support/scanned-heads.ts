// Presents requests to a transport as heads scanned by the fast client side, and keeps data that this side would consume at
// once. Thread: main.

import type { AttemptEvents, AttemptHandle, AttemptRequest, Transport } from '../../core/exchange-contract.ts';
import type { Failure } from '../../core/failure.ts';
import { type FieldList, type RequestHead, type ResponseHead, UNKNOWN_LENGTH } from '../../core/head.ts';
import { frameRequest } from '../../proxy/http1/framing.ts';
import { HeadScanner, Scan } from '../../proxy/http1/head-scanner.ts';
import { EndpointResponseHead } from '../../proxy/upstream/endpoint-response-head.ts';
import { ScannedRequestHead } from '../../proxy/wire/scanned-request-head.ts';
import { ScannedResponseHead } from '../../proxy/wire/scanned-response-head.ts';

const scanner = new HeadScanner();

/** The head as a scan returns it; null if the fast client side never produces such a head. */
export function scannedHead(head: RequestHead): ScannedRequestHead | null {
  const text = textOf(head);
  const bytes = Buffer.from(text, 'latin1');
  const scanned = new ScannedRequestHead();
  if (scanner.scanRequest(scanned.message, bytes, 0, bytes.length) !== Scan.COMPLETE) return null;
  if (frameRequest(scanned.message, scanned.framing) !== 0) return null;
  scanned.begin();
  const isSame = scanned.method === head.method && scanned.target === head.target;
  const count = head.endToEndFields().length / 2;
  // A value with a line break was read as two fields: no scan returns such a value.
  return isSame && scanned.endToEndFields().length / 2 === count ? scanned : null;
}

function textOf(head: RequestHead): string {
  let text = `${head.method} ${head.target} HTTP/1.1\r\nHost: ${head.authority}\r\n`;
  const fields = head.endToEndFields();
  for (let at = 0; at < fields.length; at += 2) text += `${fields[at]}: ${fields[at + 1]}\r\n`;
  if (head.bodyLength === UNKNOWN_LENGTH) text += 'Transfer-Encoding: chunked\r\n';
  else if (head.bodyLength > 0) text += `Content-Length: ${head.bodyLength}\r\n`;
  return `${text}\r\n`;
}

/** Copies heads and chunks, which are valid only during the event. Starts the body with the handle, as Attempt does. */
class CopiedEvents implements AttemptEvents {
  readonly #events: AttemptEvents;
  #hasHandle = false;
  #wantsBody = false;

  constructor(events: AttemptEvents) {
    this.#events = events;
  }

  handleIsThere(): void {
    this.#hasHandle = true;
    if (this.#wantsBody) this.#events.onBodyWanted();
  }

  onLease(reused: boolean): void {
    this.#events.onLease(reused);
  }

  onBodyWanted(): void {
    if (this.#hasHandle) this.#events.onBodyWanted();
    else this.#wantsBody = true;
  }

  onEndpointDrain(): void {
    this.#events.onEndpointDrain();
  }

  onInterim(head: ResponseHead): void {
    this.#events.onInterim(copied(head));
  }

  onHead(head: ResponseHead): void {
    this.#events.onHead(copied(head));
  }

  onData(chunk: Uint8Array): boolean {
    return this.#events.onData(Buffer.from(chunk));
  }

  onEarlyEnd(trailers: FieldList | null): boolean {
    return this.#events.onEarlyEnd?.(trailers) === true;
  }

  onEnd(trailers: FieldList | null): void {
    this.#events.onEnd(trailers);
  }

  onFailure(failure: Failure): void {
    this.#events.onFailure(failure);
  }
}

function copied(head: ResponseHead): ResponseHead {
  return head instanceof ScannedResponseHead ? new EndpointResponseHead(head.message, head.framing) : head;
}

/** Starts an attempt after the caller's turn, since a test has no handle before `send` returns. */
class LaterHandle implements AttemptHandle {
  #handle: AttemptHandle | null = null;
  #isAborted = false;

  constructor(begin: () => AttemptHandle, begun: () => void) {
    queueMicrotask(() => {
      if (this.#isAborted) return;
      this.#handle = begin();
      if (this.#isAborted) this.#handle.abort();
      else begun();
    });
  }

  get protocol(): 'http1' | 'http2' {
    return this.#handle?.protocol ?? 'http1';
  }

  sendBody(chunk: Uint8Array): boolean {
    return this.#handle?.sendBody(chunk) ?? true;
  }

  endBody(trailers: FieldList | null): void {
    this.#handle?.endBody(trailers);
  }

  resume(): void {
    this.#handle?.resume();
  }

  abort(): void {
    this.#isAborted = true;
    this.#handle?.abort();
  }
}

export class ScannedTransport implements Transport {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  send(request: AttemptRequest, events: AttemptEvents): AttemptHandle {
    const head = scannedHead(request.head);
    if (head === null) return this.#transport.send(request, events);
    const copies = new CopiedEvents(events);
    const begin = (): AttemptHandle => this.#transport.send({ ...request, head }, copies);
    return new LaterHandle(begin, () => copies.handleIsThere());
  }

  update(...args: Parameters<Transport['update']>): void {
    this.#transport.update(...args);
  }

  amend(...args: Parameters<Transport['amend']>): void {
    this.#transport.amend(...args);
  }

  dropIdle(slot: number): void {
    this.#transport.dropIdle(slot);
  }

  close(): Promise<void> {
    return this.#transport.close();
  }
}
