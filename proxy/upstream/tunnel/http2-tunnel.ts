// One WebSocket over a stream to an HTTP/2 endpoint (RFC 8441): send the extended CONNECT, relay the answer, relay bytes,
// end both sides. Thread: worker.

import type { Duplex } from 'node:stream';
import type {
  AttemptEvents,
  AttemptRequest,
  DialTimes,
  TunnelEnd,
  TunnelHandle,
} from '../../../core/exchange-contract.ts';
import { type Failure, failureOf } from '../../../core/failure.ts';
import type { ResponseHead } from '../../../core/head.ts';
import type { TimerHandle, Timers } from '../../../core/timers.ts';
import type { EndpointLane } from '../endpoint-lane.ts';
import type { OnFault } from '../fault-log.ts';
import type { Http2Attempt } from '../http2/http2-attempt.ts';
import { closeClient, LINGER_MS } from './client-close.ts';
import type { TunnelTask } from './tunnel.ts';
import { RefusalWriter } from './tunnel-refusal.ts';
import { TunnelTraffic } from './tunnel-traffic.ts';
import { changedFields } from './upgrade-request.ts';
import { GOING_AWAY, WebSocketFrames } from './websocket-frames.ts';
import { AcceptedHead, unsendableWebSocket } from './websocket-handshake.ts';

/** Sends extended CONNECT requests: the HTTP/2 transport. */
export interface TunnelStreams {
  connect(request: AttemptRequest, events: AttemptEvents): Http2Attempt;
}

/** Worker objects that a tunnel uses. */
export interface Http2TunnelSetting {
  readonly streams: TunnelStreams;
  readonly lane: EndpointLane;
  readonly timers: Timers;
  readonly onFault: OnFault;
  /** Called once, after both sides were released. */
  onOver(tunnel: Http2Tunnel): void;
}

type State = 'requesting' | 'refusing' | 'open' | 'closing' | 'over';

const NEXT_STATES: Readonly<Record<State, readonly State[]>> = {
  requesting: ['refusing', 'open', 'over'],
  refusing: ['over'],
  open: ['closing', 'over'],
  closing: ['over'],
  over: [],
};

export class Http2Tunnel implements AttemptEvents, TunnelHandle {
  readonly protocol = 'http2';
  readonly #setting: Http2TunnelSetting;
  readonly #task: TunnelTask;
  readonly #client: Duplex;
  readonly #traffic: TunnelTraffic;
  readonly #frames = new WebSocketFrames();
  #state: State = 'requesting';
  #stream: Http2Attempt | null = null;
  #refusal: RefusalWriter | null = null;
  #refusalStatus = 0;
  #linger: TimerHandle | null = null;
  #endedBy: TunnelEnd['by'] | null = null;
  #hasClientEnded = false;
  #hasEndpointEnded = false;
  /** Writes to the client that have not been completed. */
  #unwritten = 0;
  /** The endpoint has reset the stream: the client is cut once it has what was sent before. */
  #isCut = false;

  constructor(setting: Http2TunnelSetting, task: TunnelTask) {
    this.#setting = setting;
    this.#task = task;
    this.#client = task.upgrade.socket;
    this.#traffic = new TunnelTraffic(setting.lane, false);
  }

  /** No event comes inside the caller's turn. */
  start(): void {
    const { upgrade, request } = this.#task;
    const fault = unsendableWebSocket(upgrade, request);
    if (fault === null) this.#stream = this.#setting.streams.connect(request, this);
    else queueMicrotask(() => this.#fail(failureOf('unsendable-request', false, new Error(fault))));
  }

  /** Cancels without an event. The client's socket stays usable if nothing was relayed to it. */
  abort(): void {
    if (this.#isIn('over')) return;
    const wasRelaying = !this.#isIn('requesting');
    this.#release();
    if (wasRelaying) this.#client.destroy();
  }

  close(): void {
    this.#endBy('drain');
  }

  #endBy(by: 'timeout' | 'drain'): void {
    if (this.#isIn('requesting')) return this.#fail(this.#cancelled(`ended by ${by}`));
    this.#endedBy ??= by;
    this.#finish(this.#isIn('open') && this.#frames.isBetween);
  }

  // ---- 1. the answer

  onDialled(times: DialTimes): void {
    this.#task.events.onDialled?.(times);
  }

  onLease(reused: boolean): void {
    this.#task.events.onLease(reused);
  }

  onInterim(): void {
    // A client that waits for a 101 has no use for them.
  }

  onBodyWanted(): void {
    // Bytes of the client follow the endpoint's acceptance.
  }

  onHead(head: ResponseHead): void {
    if (!this.#isIn('requesting')) return;
    if (this.#client.destroyed) return this.#fail(this.#cancelled('the client closed its connection'));
    if (head.status < 300) this.#accepted(new AcceptedHead(head));
    else this.#refused(head);
  }

  #accepted(head: AcceptedHead): void {
    const { events, request, upgrade } = this.#task;
    const changes = events.onTunnelHead(head);
    if (changes === null || !this.#isIn('requesting')) return;
    this.#enter('open');
    this.#client.write(head.encode(request, changes), 'latin1');
    this.#watchClient();
    if (upgrade.firstBytes.length > 0) this.#take(upgrade.firstBytes);
    this.#client.on('data', this.#take);
    this.#traffic.open(this.#setting.timers, request.upstream.timeouts.tunnelMs, () => this.#endBy('timeout'));
    events.onOpen();
  }

  #refused(head: ResponseHead): void {
    const changes = this.#task.events.onTunnelHead(head);
    if (changes === null || !this.#isIn('requesting')) return;
    const { status, reason, hasLength, bodyLength } = head;
    const fields = changedFields(head.endToEndFields(), changes);
    this.#enter('refusing');
    this.#refusalStatus = status;
    this.#refusal = new RefusalWriter(this.#client, status, reason, fields, hasLength ? bodyLength : null);
    this.#watchClient();
  }

  // ---- 2. bytes

  onData(chunk: Uint8Array): boolean {
    if (this.#refusal !== null) return this.#refusal.write(chunk);
    if (!this.#isIn('open') && !this.#isIn('closing')) return true;
    this.#traffic.countFromEndpoint(chunk.byteLength);
    this.#frames.take(chunk);
    this.#unwritten += 1;
    return this.#client.write(chunk, this.#onWritten);
  }

  onEndpointDrain(): void {
    this.#client.resume();
  }

  readonly #take = (bytes: Buffer): void => {
    this.#traffic.countFromClient(bytes.length);
    if (this.#stream?.sendBody(bytes) === false) this.#client.pause();
  };

  readonly #onWritten = (): void => {
    this.#unwritten -= 1;
    if (this.#isCut && this.#unwritten === 0) this.#finish();
  };

  readonly #onClientDrain = (): void => this.#stream?.resume();

  // ---- 3. the end of the endpoint's side

  onEnd(): void {
    if (this.#refusal !== null) return this.#relayed(this.#refusal);
    this.#endedBy ??= 'endpoint';
    this.#hasEndpointEnded = true;
    this.#client.end();
    // The endpoint takes nothing more.
    if (this.#stream?.isOver === true) this.#close();
  }

  onFailure(failure: Failure): void {
    if (this.#isIn('requesting')) return this.#fail(failure);
    this.#endedBy ??= 'endpoint';
    if (this.#isIn('refusing')) return this.#finish();
    this.#close();
    if (this.#hasEndpointEnded) return;
    this.#isCut = true;
    if (this.#unwritten === 0) this.#finish();
  }

  #relayed(refusal: RefusalWriter): void {
    if (!this.#isIn('refusing')) return;
    refusal.end();
    this.#release();
    closeClient(this.#client, this.#setting.timers);
    this.#task.events.onRefused(this.#refusalStatus);
  }

  // ---- 4. the end of the client's side

  #watchClient(): void {
    this.#client.on('drain', this.#onClientDrain);
    this.#client.on('error', this.#onClientError);
    this.#client.on('end', this.#onClientEnd);
    this.#client.once('close', this.#onClientClosed);
  }

  readonly #onClientError = (): void => {
    this.#endedBy ??= 'client';
  };

  /** END_STREAM is the FIN of the tunnel (RFC 8441 section 5). */
  readonly #onClientEnd = (): void => {
    this.#hasClientEnded = true;
    if (!this.#isIn('open')) return;
    this.#endedBy ??= 'client';
    this.#stream?.endBody(null);
  };

  readonly #onClientClosed = (): void => {
    this.#endedBy ??= 'client';
    const isOrderly = this.#hasClientEnded && this.#client.errored === null && !this.#isIn('refusing');
    if (isOrderly && this.#stream?.isOver === false) this.#close();
    else this.#finish();
  };

  // ---- 5. the end

  /** One side has closed: its last bytes may still be on their way to the other. */
  #close(): void {
    if (!this.#isIn('open')) return;
    this.#enter('closing');
    this.#traffic.stopIdleTimeout();
    this.#linger = this.#setting.timers.after(LINGER_MS, () => this.#finish());
  }

  /** @param sendsClose whether the client gets a Close frame, which marks the end as orderly */
  #finish(sendsClose = false): void {
    if (this.#isIn('over')) return;
    const { bytesFromClient, bytesFromEndpoint } = this.#traffic;
    this.#release();
    if (sendsClose) closeClient(this.#client, this.#setting.timers, GOING_AWAY);
    else this.#client.destroy();
    this.#task.events.onClosed({ by: this.#endedBy ?? 'endpoint', bytesFromClient, bytesFromEndpoint });
  }

  #fail(failure: Failure): void {
    if (!this.#isIn('requesting')) return;
    const { request, events } = this.#task;
    this.#release();
    const isOurChoice = failure.kind === 'upgrade-unsupported' && request.upstream.protocol === 'http2';
    if (isOurChoice) this.#setting.onFault(request.endpoint, failure.kind, failure.cause?.message ?? '');
    events.onFailure(failure);
  }

  #cancelled(reason: string): Failure {
    return failureOf('cancelled', this.#stream !== null && this.#stream.stream !== 0, new Error(reason));
  }

  /** Releases everything but the client's socket. */
  #release(): void {
    this.#enter('over');
    this.#traffic.stop();
    this.#linger?.cancel();
    this.#client.off('data', this.#take);
    this.#client.off('drain', this.#onClientDrain);
    this.#client.off('error', this.#onClientError);
    this.#client.off('end', this.#onClientEnd);
    this.#client.off('close', this.#onClientClosed);
    this.#stream?.abort();
    this.#setting.onOver(this);
  }

  #isIn(state: State): boolean {
    return this.#state === state;
  }

  #enter(state: State): void {
    if (!NEXT_STATES[this.#state].includes(state)) throw new Error(`a tunnel can't go from ${this.#state} to ${state}`);
    this.#state = state;
  }
}
