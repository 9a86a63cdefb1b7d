// A small systemd for tests: binds sockets, and passes them to processes by LISTEN_FDS. Thread: main.

import net from 'node:net';
import type { TestContext } from 'node:test';
import { ENTRY, startProcess, type StartedProcess } from './fairlead-process.ts';

/** LISTEN_PID must be the pid of the process itself, which a shell knows before `exec`. */
const SCRIPT = 'LISTEN_PID=$$ exec "$0" "$@"';

export class Activator {
  readonly #names: string[] = [];
  readonly #sockets: net.BoundSocket[] = [];

  constructor(t: TestContext) {
    t.after(() => this.#sockets.forEach((socket) => socket.close()));
  }

  /** Binds a TCP socket on loopback; sockets of one name share a port (ReusePort=). @returns the port */
  bindTcp(name: string, port = 0): number {
    const socket = new net.BoundSocket({ host: '127.0.0.1', port, reusePort: true });
    this.#add(name, socket);
    const address = socket.address();
    return typeof address === 'object' ? address.port! : 0;
  }

  bindUnix(name: string, path: string): void {
    this.#add(name, new net.BoundSocket({ path } as object));
  }

  /** Starts Fairlead with all sockets, which stay open here for the next process. */
  start(t: TestContext, args: readonly string[], variables: Readonly<Record<string, string>> = {}): StartedProcess {
    const env = {
      ...process.env,
      ...variables,
      LISTEN_FDS: String(this.#sockets.length),
      LISTEN_FDNAMES: this.#names.join(':'),
    };
    const stdio = ['ignore', 'ignore', 'pipe', ...this.#sockets.map((socket) => socket.fd())] as const;
    return startProcess(t, '/bin/sh', ['-c', SCRIPT, process.execPath, ENTRY, ...args], { env, stdio: [...stdio] });
  }

  #add(name: string, socket: net.BoundSocket): void {
    this.#names.push(name);
    this.#sockets.push(socket);
  }
}
