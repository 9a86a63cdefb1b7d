// Serves the connections of a TCP listener. Thread: worker.

import type { Socket } from 'node:net';
import { ClientSocket } from '../accept/client-socket.ts';
import type { ConnectionFacts } from '../accept/connection-facts.ts';
import type { ConnectionIdentified } from '../connection-server.ts';
import type { TcpSessions } from './tcp-sessions.ts';

/** Clients that vanish without a FIN are found by the kernel: a session may be idle for hours. */
const KEEP_ALIVE_MS = 60_000;

export class TcpServer {
  readonly #sessions: TcpSessions;
  readonly #identified: ConnectionIdentified;

  constructor(sessions: TcpSessions, identified: ConnectionIdentified) {
    this.#sessions = sessions;
    this.#identified = identified;
  }

  /** Takes over an accepted socket. */
  accept(raw: Socket, facts: ConnectionFacts): void {
    raw.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#identified(raw, this.#sessions.begin(new ClientSocket(raw, raw, facts)));
  }
}
