// An HTTP server on loopback for tests of discovery sources: each request is answered by a handler of the test. Thread: main.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { SourceContext } from '../../discovery/source.ts';
import { systemTimers } from '../../core/timers.ts';
import { systemClock } from '../../core/clock.ts';
import { seededRandom } from '../../core/random.ts';

export type DiscoveryHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface DiscoveryServer {
  readonly port: number;
  /** `METHOD PATH` of the requests so far. */
  readonly requests: readonly string[];
  /** Answers the next requests. */
  handler: DiscoveryHandler;
  /** Resets every connection. */
  cut(): void;
  /** Stops, with all connections reset. */
  stop(): Promise<void>;
}

/** Starts a server that is stopped after the test. @param where a port, or the path of a Unix socket */
export async function startDiscoveryServer(
  t: TestContext,
  handler: DiscoveryHandler,
  { where = 0, tls = null }: { readonly where?: number | string; readonly tls?: ServerOptions | null } = {},
): Promise<DiscoveryServer> {
  const requests: string[] = [];
  const running = { handler };
  const answer: DiscoveryHandler = (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    running.handler(request, response);
  };
  const server: Server = tls === null ? createServer(answer) : createTlsServer(tls, answer);
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  };
  t.after(stop);
  await new Promise<void>((resolve) => {
    if (typeof where === 'string') server.listen(where, resolve);
    else server.listen(where, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo | string;
  return Object.assign(running, {
    port: typeof address === 'string' ? 0 : address.port,
    requests,
    cut: () => server.closeAllConnections(),
    stop,
  });
}

/** The context of a source in tests: real time, and files as given by path. */
export function sourceContext(files: Readonly<Record<string, string>> = {}): SourceContext {
  return {
    upstream: 'api',
    clock: systemClock,
    timers: systemTimers,
    random: seededRandom(1),
    files: {
      watch: () => () => undefined,
      readText(name) {
        const text = files[name];
        if (text === undefined) throw new Error('is missing');
        return text;
      },
    },
    parseList: () => ({ ok: false, cause: 'no list is expected' }),
  };
}
