// Connects to endpoints over TCP, Unix sockets and TLS, with a timeout that covers all of it. Thread: worker.

import net, { type Socket } from 'node:net';
import tls, { type SecureContext } from 'node:tls';
import type { EndpointSnapshot } from '../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../core/snapshot/upstream.ts';
import type { TimerHandle, Timers } from '../core/timers.ts';
import { EndpointError } from './endpoint-error.ts';
import { codeOf, connectFailureKind } from './failure-of-error.ts';

/** TCP keep-alive finds peers that vanished without a word (a pulled cable, a dropped NAT entry). */
const TCP_KEEP_ALIVE_MS = 60_000;

/** Called once, never inside `dial`: with a socket that has no listeners on it, or with why there is none. */
export type DialResult = (error: EndpointError | null, socket: Socket | null) => void;

/** Where a socket puts what it reads, in place of a stream: `onread` of net.connect. TLS sockets have no such thing. */
export interface ReadInto {
  readonly buffer: () => Uint8Array;
  readonly callback: (size: number, bytes: Uint8Array) => boolean;
}

/** A connection that is being made. */
export interface Dialling {
  /** Gives up; `done` is not called any more. */
  abort(): void;
}

export interface DialOptions {
  /** Whether our side stays open when the endpoint has ended its own. */
  readonly allowHalfOpen?: boolean;
}

/** Dials one endpoint; keeps what is worth keeping between two dials. */
export class Dialler {
  readonly #endpoint: EndpointSnapshot;
  readonly #upstream: UpstreamSnapshot;
  readonly #timers: Timers;
  readonly #allowHalfOpen: boolean;
  #secureContext: SecureContext | undefined;
  /** Of the last TLS connection: the next one resumes it. */
  #session: Buffer | undefined;

  constructor(endpoint: EndpointSnapshot, upstream: UpstreamSnapshot, timers: Timers, options: DialOptions = {}) {
    this.#endpoint = endpoint;
    this.#upstream = upstream;
    this.#timers = timers;
    this.#allowHalfOpen = options.allowHalfOpen ?? false;
  }

  /**
   * Connects; `timeouts.connectMs` covers name look-up, TCP and the TLS handshake together.
   * @param onread for TCP and Unix sockets only
   */
  dial(done: DialResult, onread?: ReadInto): Dialling {
    let socket: Socket;
    try {
      socket = this.#endpoint.protocol === 'https' ? this.#connectTls() : this.#connect(onread);
    } catch (error) {
      return failLater(done, new EndpointError('internal', 'could not begin to connect', error));
    }
    socket.setNoDelay(true);
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    const isTls = this.#endpoint.protocol === 'https';
    return new OpenDial(socket, isTls, this.#upstream.timeouts.connectMs, this.#timers, done);
  }

  #connect(onread: ReadInto | undefined): Socket {
    return net.connect(onread === undefined ? this.#address() : { ...this.#address(), onread });
  }

  #address(): net.NetConnectOpts {
    const { host, port, socketPath } = this.#endpoint;
    const allowHalfOpen = this.#allowHalfOpen;
    return socketPath === '' ? { host, port, allowHalfOpen } : { path: socketPath, allowHalfOpen };
  }

  #connectTls(): Socket {
    const { host } = this.#endpoint;
    const { verify, ca, serverName } = this.#upstream.tls;
    this.#secureContext ??= tls.createSecureContext(ca.length > 0 ? { ca: [...ca] } : {});
    const socket = tls.connect({
      ...this.#address(),
      secureContext: this.#secureContext,
      rejectUnauthorized: verify,
      // An address is no server name (RFC 6066 section 3); a certificate is then checked against the address itself.
      servername: serverName !== '' ? serverName : net.isIP(host) === 0 ? host : '',
      session: this.#session,
      ALPNProtocols: ['http/1.1'],
    });
    socket.on('session', (session) => {
      this.#session = session;
    });
    return socket;
  }
}

class OpenDial implements Dialling {
  readonly #socket: Socket;
  readonly #done: DialResult;
  readonly #timer: TimerHandle | null;
  readonly #readyEvent: 'connect' | 'secureConnect';
  #isHandshake = false;

  constructor(socket: Socket, isTls: boolean, connectMs: number, timers: Timers, done: DialResult) {
    this.#socket = socket;
    this.#done = done;
    this.#readyEvent = isTls ? 'secureConnect' : 'connect';
    this.#timer = connectMs === 0 ? null : timers.after(connectMs, this.#onTimeout);
    if (isTls) socket.once('connect', this.#onTcp);
    socket.once(this.#readyEvent, this.#onReady);
    socket.on('error', this.#onError);
    socket.once('close', this.#onClose);
  }

  abort(): void {
    this.#settle();
    this.#socket.on('error', ignore);
    this.#socket.destroy();
  }

  readonly #onTcp = (): void => {
    this.#isHandshake = true;
  };

  readonly #onReady = (): void => {
    this.#settle();
    this.#done(null, this.#socket);
  };

  readonly #onError = (error: Error): void => {
    const kind = connectFailureKind(codeOf(error), this.#isHandshake);
    this.#fail(new EndpointError(kind, error.message, error));
  };

  readonly #onClose = (): void => {
    this.#fail(new EndpointError(connectFailureKind('', this.#isHandshake), 'closed while connecting'));
  };

  readonly #onTimeout = (): void => {
    const phase = this.#isHandshake ? 'the TLS handshake' : 'connecting';
    this.#fail(new EndpointError('connect-timeout', `${phase} took too long`));
  };

  #fail(error: EndpointError): void {
    this.abort();
    this.#done(error, null);
  }

  #settle(): void {
    this.#timer?.cancel();
    this.#socket.off('connect', this.#onTcp);
    this.#socket.off(this.#readyEvent, this.#onReady);
    this.#socket.off('error', this.#onError);
    this.#socket.off('close', this.#onClose);
  }
}

function failLater(done: DialResult, error: EndpointError): Dialling {
  let isAborted = false;
  queueMicrotask(() => {
    if (!isAborted) done(error, null);
  });
  return {
    abort: () => {
      isAborted = true;
    },
  };
}

function ignore(): void {}
