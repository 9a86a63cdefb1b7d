// Connects over TCP, Unix sockets and TLS, with a timeout that covers name lookup, TCP and the handshake. The one dialler:
// upstream connections, heartbeats, and every other client of this process. Thread: both.

import net, { type Socket } from 'node:net';
import tls, { type SecureContext } from 'node:tls';
import type { DialTimes } from '../core/exchange-contract.ts';
import type { EndpointSnapshot } from '../core/snapshot/endpoint.ts';
import type { UpstreamSettings } from '../core/snapshot/upstream.ts';
import type { TimerHandle, Timers } from '../core/timers.ts';
import { EndpointError } from './endpoint-error.ts';
import { codeOf, connectFailureKind } from './failure-of-error.ts';
import { bareHost } from './host-port.ts';

/** TCP keep-alive detects peers that vanished silently (a pulled cable, a dropped NAT entry). */
const TCP_KEEP_ALIVE_MS = 60_000;

/**
 * A name with several addresses is tried in turn, one family after the other: the next attempt begins when one fails, or
 * after this time (Connection Attempt Delay, RFC 8305 section 5). Node's own defaults differ between versions.
 */
const NEXT_ADDRESS_MS = 250;

/** Receives, once and never inside `dial`, a socket without error handler, or the reason why there is none. */
export type DialResult = (error: EndpointError | null, socket: Socket | null, times: DialTimes) => void;

/** Buffers that a socket reads into instead of a stream: `onread` of net.connect. TLS sockets don't support it. */
export interface ReadInto {
  readonly buffer: () => Uint8Array;
  readonly callback: (size: number, bytes: Uint8Array) => boolean;
}

export type DialPhase = 'connecting' | 'in the TLS handshake';

/** A connection that is being made. */
export interface Dialling {
  readonly phase: DialPhase;
  /** Cancels; the result is not called any more. */
  abort(): void;
}

export interface DialTls {
  /** Whether the peer's certificate must be valid. */
  readonly verify: boolean;
  /** PEM texts; empty: the system's CAs. */
  readonly ca: readonly string[];
  /** Name in the handshake and in the certificate; '' is the host. */
  readonly serverName: string;
  /** PEM texts of the certificate that we present, and its key; absent or null for none. */
  readonly certificate?: { readonly cert: string; readonly key: string } | null;
  /** Offered by ALPN (RFC 7301); empty: no ALPN. */
  readonly protocols: readonly string[];
}

export interface DialTarget {
  /** Name or address; IPv6 with or without brackets. */
  readonly host: string;
  readonly port: number;
  /** Path of a Unix socket; '' for TCP. */
  readonly socketPath: string;
  /** Null connects without TLS. */
  readonly tls: DialTls | null;
  /** In ms; 0 is no limit. */
  readonly timeoutMs: number;
  /** Whether our side stays open when the peer has ended its own. */
  readonly allowHalfOpen?: boolean;
}

/** The dial target of live traffic to an endpoint. @param protocols offered by ALPN */
export function endpointTarget(
  endpoint: EndpointSnapshot,
  upstream: UpstreamSettings,
  protocols: readonly string[] = ['http/1.1'],
): DialTarget {
  const { host, port, socketPath, protocol } = endpoint;
  const isTls = protocol === 'https' || protocol === 'tls';
  const dialTls = isTls ? { ...upstream.tls, protocols: protocol === 'tls' ? [] : protocols } : null;
  return { host, port, socketPath, tls: dialTls, timeoutMs: upstream.timeouts.connectMs };
}

/** Dials one target. Keeps its TLS context, and the session that the next connection resumes. */
export class Dialler {
  readonly #target: DialTarget;
  readonly #timers: Timers;
  #secureContext: SecureContext | undefined;
  #session: Buffer | undefined;

  constructor(target: DialTarget, timers: Timers) {
    this.#target = target;
    this.#timers = timers;
  }

  /**
   * @param onread for TCP and Unix sockets only
   * @param preface bytes to send once connected, before a TLS handshake
   */
  dial(done: DialResult, onread?: ReadInto, preface: Uint8Array | null = null): Dialling {
    const dialTls = this.#target.tls;
    let socket: Socket;
    let steps: DialSteps;
    try {
      if (dialTls === null || preface !== null) socket = this.#connect(dialTls === null ? onread : undefined);
      else socket = this.#connectTls(dialTls, this.#address());
      const secure = dialTls === null ? null : (raw: Socket) => this.#connectTls(dialTls, { socket: raw });
      steps = { isTls: dialTls !== null, preface, secure };
    } catch (error) {
      return failLater(done, new EndpointError('internal', 'could not begin to connect', error));
    }
    socket.setNoDelay(true);
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    return new OpenDial(socket, steps, this.#target.timeoutMs, this.#timers, done);
  }

  #connect(onread: ReadInto | undefined): Socket {
    return net.connect(onread === undefined ? this.#address() : { ...this.#address(), onread });
  }

  #address(): net.NetConnectOpts {
    const { host, port, socketPath, allowHalfOpen = false } = this.#target;
    if (socketPath !== '') return { path: socketPath, allowHalfOpen };
    const addresses = { autoSelectFamily: true, autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS };
    return { host: bareHost(host), port, allowHalfOpen, ...addresses };
  }

  /**
   * One socket, not a TLS socket around a TCP one: Node 26.10 crashes where the TCP socket is destroyed before the TLS
   * socket, in the turn of `secureConnect`. Only behind a preface is there a TCP socket, and nobody destroys that.
   */
  #connectTls(dialTls: DialTls, where: net.NetConnectOpts | { socket: Socket }): Socket {
    const { verify, serverName, protocols } = dialTls;
    const name = serverName === '' ? bareHost(this.#target.host) : serverName;
    this.#secureContext ??= contextFor(dialTls);
    const socket = tls.connect({
      ...where,
      secureContext: this.#secureContext,
      rejectUnauthorized: verify,
      // An address is no server name (RFC 6066 section 3). The certificate is then checked against the address.
      servername: net.isIP(name) === 0 ? name : '',
      checkServerIdentity: (_host, certificate) => tls.checkServerIdentity(name, certificate),
      session: this.#session,
      ...(protocols.length > 0 && { ALPNProtocols: [...protocols] }),
    });
    socket.on('session', (session) => {
      this.#session = session;
    });
    return socket;
  }
}

/** Steps from TCP to the socket that is returned. */
interface DialSteps {
  readonly isTls: boolean;
  readonly preface: Uint8Array | null;
  /** Begins TLS over a connected socket; null without TLS. */
  readonly secure: ((raw: Socket) => Socket) | null;
}

function contextFor({ ca, certificate = null }: DialTls): SecureContext {
  return tls.createSecureContext({ ...(ca.length > 0 && { ca: [...ca] }), ...certificate });
}

/** Of each address, where a name has several: the AggregateError of them has no message. */
function messageOf(error: Error): string {
  if (!(error instanceof AggregateError)) return error.message;
  return error.errors.map((one) => (one as Error).message).join('; ');
}

class OpenDial implements Dialling {
  #socket: Socket;
  readonly #done: DialResult;
  readonly #timer: TimerHandle | null;
  readonly #isTls: boolean;
  readonly #steps: DialSteps;
  #phase: DialPhase = 'connecting';
  readonly #beganMs = performance.now();
  #connectedMs = 0;

  constructor(socket: Socket, steps: DialSteps, timeoutMs: number, timers: Timers, done: DialResult) {
    const { isTls, preface } = steps;
    this.#socket = socket;
    this.#done = done;
    this.#isTls = isTls;
    this.#steps = steps;
    this.#timer = timeoutMs === 0 ? null : timers.after(timeoutMs, this.#onTimeout);
    socket.once('connect', this.#onConnect);
    if (isTls && preface === null) socket.once('secureConnect', this.#onReady);
    socket.on('error', this.#onError);
    socket.once('close', this.#onClose);
  }

  get phase(): DialPhase {
    return this.#phase;
  }

  abort(): void {
    this.#settle();
    this.#socket.on('error', ignore);
    this.#socket.destroy();
  }

  readonly #onConnect = (): void => {
    this.#connectedMs = performance.now();
    if (isSelfConnected(this.#socket)) this.#fail(new EndpointError('connect-refused', 'connected to itself', REFUSED));
    else {
      if (this.#steps.preface !== null) this.#sendPreface(this.#steps.preface);
      if (this.#isTls) this.#phase = 'in the TLS handshake';
      else this.#onReady();
    }
  };

  /** Sends the preface, and begins TLS behind it. */
  #sendPreface(preface: Uint8Array): void {
    const raw = this.#socket;
    raw.write(preface);
    if (this.#steps.secure === null) return;
    this.#unlisten();
    raw.on('error', ignore);
    this.#socket = this.#steps.secure(raw);
    this.#socket.once('secureConnect', this.#onReady).on('error', this.#onError).once('close', this.#onClose);
  }

  readonly #onReady = (): void => {
    this.#settle();
    this.#done(null, this.#socket, this.#times());
  };

  readonly #onError = (error: Error): void => {
    const kind = connectFailureKind(codeOf(error), this.#phase !== 'connecting');
    this.#fail(new EndpointError(kind, messageOf(error), error));
  };

  readonly #onClose = (): void => {
    const kind = connectFailureKind('', this.#phase !== 'connecting');
    this.#fail(new EndpointError(kind, `closed ${this.#isTls ? this.#phase : 'while connecting'}`));
  };

  readonly #onTimeout = (): void => {
    const phase = this.#phase === 'connecting' ? 'connecting' : 'the TLS handshake';
    this.#fail(new EndpointError('connect-timeout', `${phase} took too long`));
  };

  #fail(error: EndpointError): void {
    this.abort();
    this.#done(error, null, this.#times());
  }

  #times(): DialTimes {
    const nowMs = performance.now();
    const connectedMs = this.#connectedMs || nowMs;
    return { connectMs: connectedMs - this.#beganMs, tlsMs: this.#isTls ? nowMs - connectedMs : 0 };
  }

  #settle(): void {
    this.#timer?.cancel();
    this.#unlisten();
  }

  #unlisten(): void {
    this.#socket.off('connect', this.#onConnect);
    this.#socket.off('secureConnect', this.#onReady);
    this.#socket.off('error', this.#onError);
    this.#socket.off('close', this.#onClose);
  }
}

const NO_TIMES: DialTimes = { connectMs: 0, tlsMs: 0 };

const REFUSED = Object.assign(new Error('connect ECONNREFUSED: the port connected to itself'), {
  code: 'ECONNREFUSED',
});

/**
 * Whether a connection to a loopback port ended at itself: a connect to a port of the ephemeral range on which nothing
 * listens may be given that very port as its own (TCP simultaneous open, RFC 9293 section 3.5), and succeeds.
 */
export function isSelfConnected({ localPort, remotePort, localAddress, remoteAddress }: Socket): boolean {
  return localPort !== undefined && localPort === remotePort && localAddress === remoteAddress;
}

function failLater(done: DialResult, error: EndpointError): Dialling {
  let isAborted = false;
  queueMicrotask(() => {
    if (!isAborted) done(error, null, NO_TIMES);
  });
  return {
    phase: 'connecting',
    abort: () => {
      isAborted = true;
    },
  };
}

function ignore(): void {}
