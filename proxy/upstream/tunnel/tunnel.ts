// One upgraded connection, from dialling the endpoint to the end of both sides. Thread: worker.

import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AttemptRequest, TunnelEnd, TunnelEvents, UpgradeRequest } from '../../../core/exchange-contract.ts';
import type { TimerHandle, Timers } from '../../../core/timers.ts';
import type { Dialler, Dialling } from '../../../net/dial.ts';
import { EndpointError } from '../../../net/endpoint-error.ts';
import type { EndpointLane } from '../endpoint-lane.ts';
import { failureOfError } from '../../../net/failure-of-error.ts';
import { sendUpgrade } from './http-proxy-upgrade.ts';
import { IdleWatch } from './idle-watch.ts';
import { TunnelSocket, type TunnelMeter } from './tunnel-socket.ts';
import { TunnelRefusal } from './tunnel-refusal.ts';
import { switchingHead, unsendableUpgrade } from './upgrade-request.ts';
import { GOING_AWAY, WebSocketFrames } from './websocket-frames.ts';

/** What a tunnel needs of its worker. */
export interface TunnelSetting {
  readonly dialler: Dialler;
  readonly lane: EndpointLane;
  readonly timers: Timers;
  /** Called once, when nothing is left of it. */
  onOver(tunnel: Tunnel): void;
}

/** What is asked, of whom, and who is told. */
export interface TunnelTask {
  readonly upgrade: UpgradeRequest;
  readonly request: AttemptRequest;
  readonly events: TunnelEvents;
}

type Side = TunnelEnd['by'];
type State = 'dialling' | 'asking' | 'refusing' | 'open' | 'closing' | 'over';

const NEXT_STATES: Readonly<Record<State, readonly State[]>> = {
  dialling: ['asking', 'over'],
  asking: ['refusing', 'open', 'over'],
  refusing: ['closing', 'over'],
  open: ['closing', 'over'],
  closing: ['over'],
  over: [],
};

/** When one side has ended, the other has this long to take what is left. */
const LINGER_MS = 2000;

export class Tunnel implements TunnelMeter {
  readonly #setting: TunnelSetting;
  readonly #task: TunnelTask;
  readonly #client: Duplex;
  readonly #mouth: TunnelSocket;
  #state: State = 'dialling';
  #dialling: Dialling | null = null;
  #endpoint: Socket | null = null;
  /** The request, once it is being written. */
  #sent: ClientRequest | null = null;
  #refusal: TunnelRefusal | null = null;
  #idle: IdleWatch | null = null;
  /** Null where it is no WebSocket. */
  #frames: WebSocketFrames | null = null;
  #linger: TimerHandle | null = null;
  #endedBy: Side | null = null;
  #bytesFromClient = 0;
  #bytesFromEndpoint = 0;

  constructor(setting: TunnelSetting, task: TunnelTask) {
    this.#setting = setting;
    this.#task = task;
    this.#client = task.upgrade.socket;
    this.#mouth = new TunnelSocket(this.#client, this);
  }

  /** Begins, once the caller's turn is over. */
  start(): void {
    queueMicrotask(() => this.#dial());
  }

  /** Ends without a word. Where nothing was relayed, the client's socket stays as it was. */
  abort(): void {
    if (this.#state === 'over') return;
    const wasRelaying = this.#state !== 'dialling' && this.#state !== 'asking';
    this.#release();
    if (wasRelaying) this.#client.destroy();
  }

  /** Ends at once, and says so. */
  end(by: 'timeout' | 'drain'): void {
    if (this.#state === 'dialling' || this.#state === 'asking') {
      this.#fail(new EndpointError('cancelled', `ended by ${by}`));
      return;
    }
    this.#endedBy ??= by;
    this.#finish(this.#isIn('open') && this.#frames?.isBetween === true);
  }

  countFromClient(sizeBytes: number): void {
    this.#bytesFromClient += sizeBytes;
    this.#idle?.touch();
    this.#setting.lane.add('bytesSent', sizeBytes);
  }

  countFromEndpoint(sizeBytes: number): void {
    this.#bytesFromEndpoint += sizeBytes;
    this.#idle?.touch();
    this.#setting.lane.add('bytesReceived', sizeBytes);
  }

  // ---- 1. connect, so that a failure to connect is known before anything was said

  #dial(): void {
    if (this.#state === 'over') return;
    const fault = unsendableUpgrade(this.#task.upgrade, this.#task.request);
    if (fault !== null) return this.#fail(new EndpointError('unsendable-request', fault));
    this.#dialling = this.#setting.dialler.dial((error, socket) => {
      this.#dialling = null;
      if (socket === null) this.#fail(error ?? new EndpointError('internal', 'no socket'));
      else this.#connected(socket);
    });
  }

  #connected(socket: Socket): void {
    const { lane } = this.#setting;
    this.#endpoint = socket;
    lane.add('connectionsOpened', 1);
    lane.add('connectionsOpen', 1);
    socket.on('error', () => this.#sideEnded('endpoint'));
    socket.once('end', () => this.#sideEnded('endpoint'));
    socket.once('close', () => {
      lane.add('connectionsOpen', -1);
      this.#sideClosed('endpoint');
    });
    this.#enter('asking');
    this.#task.events.onLease(false);
    if (this.#isIn('asking')) this.#ask(socket);
  }

  // ---- 2. ask

  #ask(endpoint: Socket): void {
    try {
      this.#sent = sendUpgrade(endpoint, this.#mouth, this.#task, {
        onSwitched: (answer) => this.#switched(answer),
        onRefused: (answer) => this.#refused(answer),
        onError: (error) => this.#fail(error),
      });
    } catch (error) {
      this.#fail(new EndpointError('unsendable-request', 'the request has a field that cannot be sent', error));
    }
  }

  // ---- 3. the endpoint switched, or did not

  #switched(answer: IncomingMessage): void {
    if (!this.#isAnswerWanted()) return;
    const head = orNull(() => switchingHead(answer, this.#task.upgrade));
    if (head === null) {
      this.#fail(new EndpointError('malformed-response', 'switched to what was not asked for'));
      return;
    }
    this.#enter('open');
    this.#setting.lane.add('upgradesOpen', 1);
    this.#watchClient();
    if (answer.headers.upgrade?.toLowerCase() === 'websocket') this.#frames = new WebSocketFrames();
    this.#mouth.open(head, this.#task.upgrade.firstBytes, this.#frames);
    const { tunnelMs } = this.#task.request.upstream.timeouts;
    this.#idle = new IdleWatch(this.#setting.timers, tunnelMs, () => this.end('timeout'));
    this.#task.events.onOpen();
  }

  #refused(answer: IncomingMessage): void {
    answer.on('error', ignore);
    if (!this.#isAnswerWanted()) return;
    // node:http lets a 101 that names no protocol come here.
    const isFinal = (answer.statusCode ?? 0) >= 200;
    const refusal = orNull(() =>
      isFinal
        ? new TunnelRefusal(answer, this.#client, this.#endpoint!, {
            onRelayed: () => this.#relayed(answer.statusCode ?? 0),
            onTruncated: () => this.#truncated(),
          })
        : null,
    );
    if (refusal === null) {
      this.#fail(new EndpointError('malformed-response', 'the refusal cannot be relayed'));
      return;
    }
    this.#refusal = refusal;
    this.#enter('refusing');
    this.#watchClient();
  }

  #isAnswerWanted(): boolean {
    if (this.#client.destroyed) this.#fail(new EndpointError('cancelled', 'the client is gone'));
    return this.#isIn('asking');
  }

  #relayed(status: number): void {
    if (!this.#isIn('refusing')) return;
    this.#release();
    this.#leave();
    this.#task.events.onRefused(status);
  }

  /** Ends the client's side softly. */
  #leave(lastWords?: Buffer): void {
    const client = this.#client;
    client.on('error', ignore);
    if (lastWords === undefined) client.end();
    else client.end(lastWords);
    // Whatever it still sends is for nobody; unread, it would turn our end into a reset that overtakes the answer.
    client.resume();
    destroyAfter(client, this.#setting.timers);
  }

  /** Cut, not ended: what is missing must not pass for complete. */
  #truncated(): void {
    this.#endedBy ??= 'endpoint';
    this.#finish();
  }

  // ---- 4. the end

  #watchClient(): void {
    this.#client.on('error', this.#onClientError);
    this.#client.on('end', this.#onClientEnd);
    this.#client.once('close', this.#onClientClosed);
  }

  readonly #onClientError = (): void => this.#sideEnded('client');
  readonly #onClientEnd = (): void => this.#sideEnded('client');
  readonly #onClientClosed = (): void => this.#sideClosed('client');

  #sideEnded(side: 'client' | 'endpoint'): void {
    if (this.#isIn('open') || this.#isIn('closing')) this.#endedBy ??= side;
  }

  /**
   * One side is gone. What it sent last is still on its way to the other (the pipes end that side behind it), but not
   * for ever: http-proxy-3 would wait as long as the other side likes.
   */
  #sideClosed(side: 'client' | 'endpoint'): void {
    if (this.#isIn('open')) {
      this.#endedBy ??= side;
      this.#enter('closing');
      this.#idle?.stop();
      this.#linger = this.#setting.timers.after(LINGER_MS, () => this.#finish());
      const isLost = side === 'client' && (this.#client.errored !== null || this.#endpoint?.destroyed === true);
      if (isLost) this.#finish();
    } else if (this.#isIn('closing') || (this.#isIn('refusing') && side === 'client')) {
      this.#endedBy ??= side;
      this.#finish();
    }
  }

  /** @param saysGoodbye tells a WebSocket's client, which then knows that it was no fault */
  #finish(saysGoodbye = false): void {
    if (this.#isIn('over')) return;
    const end: TunnelEnd = {
      by: this.#endedBy ?? 'endpoint',
      bytesFromClient: this.#bytesFromClient,
      bytesFromEndpoint: this.#bytesFromEndpoint,
    };
    this.#release();
    if (saysGoodbye) this.#leave(GOING_AWAY);
    else this.#client.destroy();
    this.#task.events.onClosed(end);
  }

  #fail(error: Error): void {
    if (!this.#isIn('dialling') && !this.#isIn('asking')) return;
    const facts = { wasSent: this.#sent !== null, isReused: false, hasReceived: false, hasHead: false };
    this.#release();
    this.#task.events.onFailure(failureOfError(error, facts));
  }

  /** Lets go of everything but the client's socket. */
  #release(): void {
    // Watched since it was open.
    if (this.#idle !== null) this.#setting.lane.add('upgradesOpen', -1);
    this.#enter('over');
    this.#idle?.stop();
    this.#linger?.cancel();
    this.#dialling?.abort();
    this.#refusal?.stop();
    this.#client.off('error', this.#onClientError);
    this.#client.off('end', this.#onClientEnd);
    this.#client.off('close', this.#onClientClosed);
    this.#mouth.destroy();
    this.#sent?.destroy();
    this.#endpoint?.destroy();
    this.#setting.onOver(this);
  }

  // ---- states

  #isIn(state: State): boolean {
    return this.#state === state;
  }

  #enter(state: State): void {
    if (!NEXT_STATES[this.#state].includes(state)) throw new Error(`a tunnel can't go from ${this.#state} to ${state}`);
    this.#state = state;
  }
}

function destroyAfter(socket: Duplex, timers: Timers): void {
  const timer = timers.after(LINGER_MS, () => socket.destroy());
  socket.once('close', () => timer.cancel());
}

function orNull<T>(make: () => T | null): T | null {
  try {
    return make();
  } catch {
    return null;
  }
}

function ignore(): void {}
