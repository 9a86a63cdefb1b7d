// Serves the connections of a TCP listener: TLS where it terminates that, the ClientHello where sessions are routed by it,
// and then sessions. Thread: worker.

import type { Socket } from 'node:net';
import type { ListenerSnapshot } from '../../../core/snapshot/listener.ts';
import { ClientSocket } from '../accept/client-socket.ts';
import type { ConnectionFacts } from '../accept/connection-facts.ts';
import { TlsAcceptor } from '../accept/tls-acceptor.ts';
import type { ConnectionIdentified } from '../connection-server.ts';
import type { DownstreamContext } from '../downstream-context.ts';
import { HelloGate } from './hello-gate.ts';
import type { TcpSessions } from './tcp-sessions.ts';

/** Clients that vanish without a FIN are found by the kernel: a session may be idle for hours. */
const KEEP_ALIVE_MS = 60_000;

export class TcpServer {
  readonly #sessions: TcpSessions;
  readonly #identified: ConnectionIdentified;
  readonly #tls: TlsAcceptor | null;
  /** Null where no route of the listener reads the ClientHello, or it terminates TLS. */
  readonly #hellos: HelloGate | null;

  constructor(
    context: DownstreamContext,
    listener: ListenerSnapshot,
    sessions: TcpSessions,
    identified: ConnectionIdentified,
  ) {
    this.#sessions = sessions;
    this.#identified = identified;
    const { readsHello, timeouts, tls } = listener;
    this.#tls = tls === null ? null : new TlsAcceptor(context, listener, (client) => this.#begin(client, false));
    this.#hellos = readsHello ? new HelloGate(context, timeouts.handshakeMs) : null;
  }

  /** Takes over an accepted socket. */
  accept(raw: Socket, facts: ConnectionFacts): void {
    raw.setKeepAlive(true, KEEP_ALIVE_MS);
    const begin = (hasHello: boolean): void => this.#begin(new ClientSocket(raw, raw, facts), hasHello);
    if (this.#tls !== null) this.#tls.accept(raw, facts);
    else if (this.#hellos === null) begin(false);
    else this.#identified(raw, this.#hellos.read(raw, facts, begin));
  }

  #begin(client: ClientSocket, hasHello: boolean): void {
    this.#identified(client.raw, this.#sessions.begin(client, hasHello));
  }
}
