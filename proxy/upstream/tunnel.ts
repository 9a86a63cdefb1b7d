// One upgraded connection, from dialling the endpoint to the end of both sides. The bytes are http-proxy-3's to carry;
// what it must not decide is decided here (README.md lists its hazards). Thread: worker.

import { Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import httpProxy from 'http-proxy-3';
import type { AttemptRequest, TunnelEnd, TunnelEvents, UpgradeRequest } from '../../core/exchange-contract.ts';
import { failureOf } from '../../core/failure.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';
import type { Dialler, Dialling } from './dial.ts';
import { EndpointError } from './endpoint-error.ts';
import type { EndpointLane } from './endpoint-lane.ts';
import { failureOfError } from './failure-of-error.ts';
import { MAX_INTERIM_RESPONSES } from './response-gate.ts';
import { TunnelMouth, type TunnelMeter } from './tunnel-mouth.ts';
import { TunnelRefusal } from './tunnel-refusal.ts';
import { replaceRequest, switchingHead, unsendableUpgrade } from './upgrade-request.ts';

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

/** Idleness is looked at this often in its time: a tunnel ends at most a quarter of that late. */
const IDLE_CHECKS = 4;
/** When one side has ended, the other has this long to take what is left. */
const LINGER_MS = 2000;

export class Tunnel implements TunnelMeter {
  readonly #setting: TunnelSetting;
  readonly #task: TunnelTask;
  readonly #client: Duplex;
  readonly #mouth: TunnelMouth;
  #state: State = 'dialling';
  #dialling: Dialling | null = null;
  #endpoint: Socket | null = null;
  #sent: ClientRequest | null = null;
  /** Whether http-proxy-3 has begun to write the request. */
  #wasAsked = false;
  #refusal: TunnelRefusal | null = null;
  #interimCount = 0;
  #timer: TimerHandle | null = null;
  #quietChecks = 0;
  #endedBy: Side | null = null;
  #bytesFromClient = 0;
  #bytesFromEndpoint = 0;

  constructor(setting: TunnelSetting, task: TunnelTask) {
    this.#setting = setting;
    this.#task = task;
    this.#client = task.upgrade.socket;
    this.#mouth = new TunnelMouth(this.#client, this);
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
    this.#finish();
  }

  countFromClient(sizeBytes: number): void {
    this.#bytesFromClient += sizeBytes;
    this.#quietChecks = 0;
    this.#setting.lane.add('bytesSent', sizeBytes);
  }

  countFromEndpoint(sizeBytes: number): void {
    this.#bytesFromEndpoint += sizeBytes;
    this.#quietChecks = 0;
    this.#setting.lane.add('bytesReceived', sizeBytes);
  }

  // ---- 1. connect, so that a failure to connect is known before anything was said

  #dial(): void {
    if (this.#state === 'over') return;
    const fault = unsendableUpgrade(this.#task.upgrade, this.#task.request);
    if (fault !== null) return this.#fail(new EndpointError('unsendable-request', fault));
    this.#dialling = this.#setting.dialler.dial((error, socket) => {
      this.#dialling = null;
      if (socket === null) this.#fail(error);
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

  // ---- 2. ask, through http-proxy-3

  #ask(socket: Socket): void {
    const proxy = httpProxy.createProxyServer();
    proxy.on('error', ignore);
    proxy.on('proxyReqWs', (sent) => this.#asking(sent));
    const options = {
      target: { protocol: 'http:', host: 'endpoint.invalid', port: 80 },
      agent: agentOver(socket),
      method: this.#task.request.head.method,
      toProxy: true,
      // http-proxy-3 makes its request's options from this object.
      ssl: { maxHeaderSize: this.#task.request.upstream.responseHeadBytes, insecureHTTPParser: false },
    };
    try {
      proxy.ws(PLAIN_ASK, this.#mouth, NO_BYTES, options, (error) => this.#fail(error));
      this.#wasAsked = true;
      this.#sent?.removeAllListeners('response');
      this.#sent?.on('response', (answer) => this.#refused(answer));
    } catch (error) {
      this.#fail(new EndpointError('unsendable-request', 'the request has a field that cannot be sent', error));
    }
  }

  /** http-proxy-3 has made its request and not written it yet. */
  #asking(sent: ClientRequest): void {
    this.#sent = sent;
    sent.on('error', ignore);
    sent.on('information', () => this.#interim());
    // Before http-proxy-3's own, which writes to the mouth and joins the two.
    sent.on('upgrade', (answer) => this.#switched(answer));
    replaceRequest(sent, this.#task.upgrade, this.#task.request);
  }

  /** Interim responses are not relayed: whoever waits for a switch has no use for them. */
  #interim(): void {
    this.#interimCount += 1;
    if (this.#interimCount > MAX_INTERIM_RESPONSES) {
      this.#fail(new EndpointError('malformed-response', 'too many interim responses'));
    }
  }

  // ---- 3. the endpoint switched, or did not

  #switched(answer: IncomingMessage): void {
    if (!this.#isIn('asking')) return;
    const head = orNull(() => switchingHead(answer, this.#task.upgrade));
    if (head === null) {
      this.#fail(new EndpointError('malformed-response', 'switched to what was not asked for'));
      return;
    }
    this.#enter('open');
    this.#watchClient();
    this.#mouth.open(head, this.#task.upgrade.firstBytes);
    this.#armIdle();
    this.#task.events.onOpen();
  }

  #refused(answer: IncomingMessage): void {
    answer.on('error', ignore);
    if (!this.#isIn('asking')) return;
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

  #relayed(status: number): void {
    if (!this.#isIn('refusing')) return;
    const client = this.#client;
    this.#release();
    client.end();
    // Whatever it still sends is for nobody; unread, it would turn our end into a reset that overtakes the answer.
    client.resume();
    destroyAfter(client, this.#setting.timers);
    this.#task.events.onRefused(status);
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
      this.#timer?.cancel();
      this.#timer = this.#setting.timers.after(LINGER_MS, () => this.#finish());
      const isLost = side === 'client' && (this.#client.errored !== null || this.#endpoint?.destroyed === true);
      if (isLost) this.#finish();
    } else if (this.#isIn('closing') || (this.#isIn('refusing') && side === 'client')) {
      this.#endedBy ??= side;
      this.#finish();
    }
  }

  #finish(): void {
    if (this.#isIn('over')) return;
    const end: TunnelEnd = {
      by: this.#endedBy ?? 'endpoint',
      bytesFromClient: this.#bytesFromClient,
      bytesFromEndpoint: this.#bytesFromEndpoint,
    };
    this.#release();
    this.#client.destroy();
    this.#task.events.onClosed(end);
  }

  #fail(error: Error | null): void {
    if (!this.#isIn('dialling') && !this.#isIn('asking')) return;
    const wasSent = this.#wasAsked;
    const facts = { wasSent, isReused: false, hasReceived: false, hasHead: false };
    this.#release();
    this.#task.events.onFailure(error === null ? failureOf('internal', wasSent) : failureOfError(error, facts));
  }

  /** Lets go of everything but the client's socket. */
  #release(): void {
    this.#enter('over');
    this.#timer?.cancel();
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

  // ---- idleness

  #armIdle(): void {
    const { tunnelMs } = this.#task.request.upstream.timeouts;
    if (tunnelMs === 0) return;
    this.#timer = this.#setting.timers.after(Math.ceil(tunnelMs / IDLE_CHECKS), () => {
      this.#quietChecks += 1;
      if (this.#quietChecks > IDLE_CHECKS) this.end('timeout');
      else this.#armIdle();
    });
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

const NO_BYTES = Buffer.alloc(0);

/** What http-proxy-3 looks at before it asks; replaceRequest puts the real request in its place. */
const PLAIN_ASK = {
  method: 'GET',
  url: '/',
  httpVersion: '1.1',
  httpVersionMajor: 1,
  headers: { connection: 'Upgrade', upgrade: 'websocket' },
} as unknown as IncomingMessage;

/** An agent that has exactly this connection to give. */
function agentOver(socket: Socket): Agent {
  const agent = new Agent({ keepAlive: false, maxSockets: 1 });
  agent.createConnection = () => socket;
  return agent;
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
