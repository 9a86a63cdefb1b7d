// One upgraded connection: dial the endpoint, send the Upgrade request, relay the answer, relay bytes, close both sides.
// Thread: worker.

import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type {
  AttemptRequest,
  HeadChanges,
  TunnelEnd,
  TunnelEvents,
  TunnelHandle,
} from '../../../core/exchange-contract.ts';
import type { TimerHandle, Timers } from '../../../core/timers.ts';
import type { Dialler, Dialling, DialResult } from '../../../net/dial.ts';
import { EndpointError } from '../../../net/endpoint-error.ts';
import type { SocketUpgrade } from '../../wire/socket-upgrade.ts';
import type { EndpointLane } from '../endpoint-lane.ts';
import type { OnFault } from '../fault-log.ts';
import { failureOfError } from '../../../net/failure-of-error.ts';
import { keepReadableAfterWriteError } from '../write-errors.ts';
import { closeClient, LINGER_MS } from './client-close.ts';
import { sendUpgrade } from './http-proxy-upgrade.ts';
import { TunnelRefusal } from './tunnel-refusal.ts';
import { TunnelSocket } from './tunnel-socket.ts';
import { TunnelTraffic } from './tunnel-traffic.ts';
import {
  changedFields,
  faultOfRefusal,
  isRelayable,
  isRequestedSwitch,
  passedFields,
  switchingHead,
  unsendableUpgrade,
  UpgradeResponseHead,
} from './upgrade-request.ts';
import { GOING_AWAY, WebSocketFrames } from './websocket-frames.ts';

/** Worker objects that a tunnel uses. */
export interface TunnelSetting {
  readonly dialler: Dialler;
  /** Bytes that the connection begins with. */
  readonly preface: Uint8Array | null;
  readonly lane: EndpointLane;
  readonly timers: Timers;
  readonly onFault: OnFault;
  /** Called once, after both sides were released. */
  onOver(tunnel: Tunnel): void;
}

/** One Upgrade request, its attempt, and the events to report. */
export interface TunnelTask {
  readonly upgrade: SocketUpgrade;
  readonly request: AttemptRequest;
  readonly events: TunnelEvents;
}

type Side = TunnelEnd['by'];
type State = 'dialling' | 'requesting' | 'refusing' | 'open' | 'closing' | 'over';

const NEXT_STATES: Readonly<Record<State, readonly State[]>> = {
  dialling: ['requesting', 'over'],
  requesting: ['refusing', 'open', 'over'],
  refusing: ['closing', 'over'],
  open: ['closing', 'over'],
  closing: ['over'],
  over: [],
};

export class Tunnel implements TunnelHandle {
  readonly protocol = 'http1';
  readonly #setting: TunnelSetting;
  readonly #task: TunnelTask;
  readonly #client: Duplex;
  readonly #clientStandIn: TunnelSocket;
  readonly #traffic: TunnelTraffic;
  #state: State = 'dialling';
  #dialling: Dialling | null = null;
  #endpoint: Socket | null = null;
  /** The request to the endpoint, from the moment it is written. */
  #sent: ClientRequest | null = null;
  #refusal: TunnelRefusal | null = null;
  /** Null for protocols other than WebSocket. */
  #frames: WebSocketFrames | null = null;
  #linger: TimerHandle | null = null;
  #endedBy: Side | null = null;

  constructor(setting: TunnelSetting, task: TunnelTask) {
    this.#setting = setting;
    this.#task = task;
    this.#client = task.upgrade.socket;
    this.#traffic = new TunnelTraffic(setting.lane, true);
    this.#clientStandIn = new TunnelSocket(this.#client, this.#traffic);
  }

  /** Begins in a microtask, so that no event comes inside the caller's turn. */
  start(): void {
    queueMicrotask(() => this.#dial());
  }

  /** Cancels without an event. The client's socket stays usable if nothing was relayed to it. */
  abort(): void {
    if (this.#state === 'over') return;
    const wasRelaying = !this.#isBeforeAnswer();
    this.#release();
    if (wasRelaying) this.#client.destroy();
  }

  close(): void {
    this.#endBy('drain');
  }

  #endBy(by: 'timeout' | 'drain'): void {
    if (this.#isBeforeAnswer()) {
      this.#fail(new EndpointError('cancelled', `ended by ${by}`));
      return;
    }
    this.#endedBy ??= by;
    this.#finish(this.#isIn('open') && this.#frames?.isBetween === true);
  }

  // ---- 1. dial first, so that a failure to connect leaves the client's socket untouched for the next attempt

  #dial(): void {
    if (this.#state === 'over') return;
    const fault = unsendableUpgrade(this.#task.upgrade, this.#task.request);
    if (fault !== null) return this.#fail(new EndpointError('unsendable-request', fault));
    const dialled: DialResult = (error, socket, times) => {
      this.#dialling = null;
      this.#task.events.onDialled?.(times);
      if (socket === null) this.#fail(error ?? new EndpointError('internal', 'no socket'));
      else this.#connected(socket);
    };
    this.#dialling = this.#setting.dialler.dial(dialled, undefined, this.#setting.preface);
  }

  #connected(socket: Socket): void {
    const { lane } = this.#setting;
    this.#endpoint = socket;
    for (const field of ['connectionsOpened', 'connectionsOpen'] as const) lane.add(field, 1);
    // The endpoint's last bytes reach the client even if its RST fails a write of ours.
    keepReadableAfterWriteError(socket, ignore);
    socket.on('error', () => this.#sideEnded('endpoint'));
    socket.once('end', () => this.#sideEnded('endpoint'));
    socket.once('close', () => {
      lane.add('connectionsOpen', -1);
      this.#sideClosed('endpoint');
    });
    this.#enter('requesting');
    this.#task.events.onLease(false);
    if (this.#isIn('requesting')) this.#request(socket);
  }

  // ---- 2. send the request

  #request(endpoint: Socket): void {
    try {
      this.#sent = sendUpgrade(endpoint, this.#clientStandIn, this.#task, {
        onSwitched: (answer) => this.#switched(answer),
        onRefused: (answer) => this.#refused(answer),
        onError: (error) => this.#fail(error),
      });
    } catch (error) {
      this.#fail(new EndpointError('unsendable-request', 'the request has a field that cannot be sent', error));
    }
  }

  // ---- 3. the answer: a switch of protocols, or a final response

  #switched(answer: IncomingMessage): void {
    if (!this.#isAnswerWanted()) return;
    if (!isRequestedSwitch(answer, this.#task.upgrade)) {
      this.#fail(new EndpointError('malformed-response', 'the endpoint switched to a protocol that was not requested'));
      return;
    }
    const changes = this.#changesTo(answer);
    if (changes === null) return;
    const head = switchingHead(answer, changes);
    this.#enter('open');
    this.#watchClient();
    if (answer.headers.upgrade?.toLowerCase() === 'websocket') this.#frames = new WebSocketFrames();
    this.#clientStandIn.open(head, this.#task.upgrade.firstBytes, this.#frames);
    const { tunnelMs } = this.#task.request.upstream.timeouts;
    this.#traffic.open(this.#setting.timers, tunnelMs, () => this.#endBy('timeout'));
    this.#task.events.onOpen();
  }

  #refused(answer: IncomingMessage): void {
    answer.on('error', ignore);
    if (!this.#isAnswerWanted()) return;
    const { statusCode = 0 } = answer;
    const fault = faultOfRefusal(statusCode, this.#task.upgrade);
    if (fault !== null) return this.#fail(fault);
    const changes = this.#changesTo(answer);
    if (changes === null) return;
    const fields = changedFields(passedFields(answer), changes);
    const sockets = { client: this.#client, endpoint: this.#endpoint! };
    this.#refusal = new TunnelRefusal(answer, fields, sockets, {
      onRelayed: () => this.#relayed(statusCode),
      onTruncated: () => this.#truncated(),
    });
    this.#enter('refusing');
    this.#watchClient();
  }

  /** The exchange's changes to the answer's head; null if the attempt is over. A head that can't be relayed fails it. */
  #changesTo(answer: IncomingMessage): HeadChanges | null {
    if (!isRelayable(answer)) {
      this.#fail(new EndpointError('malformed-response', 'the response has a field that cannot be relayed'));
      return null;
    }
    const changes = this.#task.events.onTunnelHead(new UpgradeResponseHead(answer));
    return this.#isIn('requesting') ? changes : null;
  }

  #isAnswerWanted(): boolean {
    if (this.#client.destroyed) this.#fail(new EndpointError('cancelled', 'the client closed its connection'));
    return this.#isIn('requesting');
  }

  #relayed(status: number): void {
    if (!this.#isIn('refusing')) return;
    this.#release();
    closeClient(this.#client, this.#setting.timers);
    this.#task.events.onRefused(status);
  }

  /** Destroys the client's connection: a clean end would let a truncated refusal pass for a complete one. */
  #truncated(): void {
    this.#endedBy ??= 'endpoint';
    this.#finish();
  }

  // ---- 4. the end

  #watchClient(): void {
    this.#client.on('error', this.#onClientEnded);
    this.#client.on('end', this.#onClientEnded);
    this.#client.once('close', this.#onClientClosed);
  }

  readonly #onClientEnded = (): void => this.#sideEnded('client');
  readonly #onClientClosed = (): void => this.#sideClosed('client');

  #sideEnded(side: 'client' | 'endpoint'): void {
    if (this.#isIn('open') || this.#isIn('closing')) this.#endedBy ??= side;
  }

  /**
   * One side has closed. Its last bytes may still be on their way to the other side, which the pipes end after them;
   * http-proxy-3 would wait for that without limit.
   */
  #sideClosed(side: 'client' | 'endpoint'): void {
    if (this.#isIn('open')) {
      this.#endedBy ??= side;
      this.#enter('closing');
      this.#traffic.stopIdleTimeout();
      this.#linger = this.#setting.timers.after(LINGER_MS, () => this.#finish());
      const isLost = side === 'client' && (this.#client.errored !== null || this.#endpoint?.destroyed === true);
      if (isLost) this.#finish();
    } else if (this.#isIn('closing') || (this.#isIn('refusing') && side === 'client')) {
      this.#endedBy ??= side;
      this.#finish();
    }
  }

  /** @param sendsClose whether a WebSocket client gets a Close frame, which marks the end as orderly */
  #finish(sendsClose = false): void {
    if (this.#isIn('over')) return;
    const { bytesFromClient, bytesFromEndpoint } = this.#traffic;
    this.#release();
    if (sendsClose) closeClient(this.#client, this.#setting.timers, GOING_AWAY);
    else this.#client.destroy();
    this.#task.events.onClosed({ by: this.#endedBy ?? 'endpoint', bytesFromClient, bytesFromEndpoint });
  }

  #fail(error: Error): void {
    if (!this.#isBeforeAnswer()) return;
    const facts = { wasSent: this.#sent !== null, isReused: false, hasReceived: false, hasHead: false };
    const failure = failureOfError(error, facts);
    this.#release();
    const isFault = failure.signal === 'protocol' || failure.kind === 'upgrade-unsupported';
    if (isFault) this.#setting.onFault(this.#task.request.endpoint, failure.kind, error.message);
    this.#task.events.onFailure(failure);
  }

  /** Releases everything but the client's socket. */
  #release(): void {
    this.#enter('over');
    this.#traffic.stop();
    this.#linger?.cancel();
    this.#dialling?.abort();
    this.#refusal?.stop();
    this.#client.off('error', this.#onClientEnded);
    this.#client.off('end', this.#onClientEnded);
    this.#client.off('close', this.#onClientClosed);
    this.#clientStandIn.destroy();
    this.#sent?.destroy();
    this.#endpoint?.destroy();
    this.#setting.onOver(this);
  }

  // ---- states

  #isIn(state: State): boolean {
    return this.#state === state;
  }

  #isBeforeAnswer(): boolean {
    return this.#state === 'dialling' || this.#state === 'requesting';
  }

  #enter(state: State): void {
    if (!NEXT_STATES[this.#state].includes(state)) throw new Error(`a tunnel can't go from ${this.#state} to ${state}`);
    this.#state = state;
  }
}

function ignore(): void {}
