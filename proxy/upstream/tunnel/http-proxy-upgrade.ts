// The only user of http-proxy-3: sends an Upgrade request over an open connection to an endpoint, and joins the two
// sides when the endpoint switches protocols. README.md lists the library's hazards. Thread: worker.

import { Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import httpProxy, { numOpenSockets } from 'http-proxy-3';
import type { AttemptRequest, UpgradeRequest } from '../../../core/exchange-contract.ts';
import { EndpointError } from '../../../net/endpoint-error.ts';
import { MAX_INTERIM_RESPONSES } from '../response-reader.ts';
import type { TunnelSocket } from './tunnel-socket.ts';
import { replaceRequest } from './upgrade-request.ts';

/** The outcome of an Upgrade request. Never emitted inside `sendUpgrade`. */
export interface UpgradeEvents {
  /** Before anything is written to the client's stand-in. */
  onSwitched(answer: IncomingMessage): void;
  onRefused(answer: IncomingMessage): void;
  /** May come more than once, and after the others. */
  onError(error: Error): void;
}

const NO_BYTES = Buffer.alloc(0);

/** The request that http-proxy-3 inspects; replaceRequest puts the real one in its place. */
const PLACEHOLDER_REQUEST = {
  method: 'GET',
  url: '/',
  httpVersion: '1.1',
  httpVersionMajor: 1,
  headers: { connection: 'Upgrade', upgrade: 'websocket' },
} as unknown as IncomingMessage;

/**
 * Sends the Upgrade request, and relays bytes between `endpoint` and `client` once the endpoint has switched.
 * @param client stands in for the client's socket
 * @returns the request being written; destroy it to cancel
 * @throws TypeError if a field can't be sent; nothing was written then
 */
export function sendUpgrade(
  endpoint: Socket,
  client: TunnelSocket,
  task: { readonly upgrade: UpgradeRequest; readonly request: AttemptRequest },
  events: UpgradeEvents,
): ClientRequest {
  const { upgrade, request } = task;
  const proxy = httpProxy.createProxyServer();
  let sent: ClientRequest | null = null;
  // http-proxy-3 throws the errors of an emitter without a listener.
  proxy.on('error', ignore);
  proxy.on('proxyReqWs', (made) => {
    sent = made;
    made.on('error', ignore);
    made.on('information', interimLimit(events));
    // Registered before http-proxy-3's own listener, so that our head is written first.
    made.on('upgrade', (answer) => events.onSwitched(answer));
    replaceRequest(made, upgrade, request);
  });
  const options = {
    target: { protocol: 'http:', host: 'endpoint.invalid', port: 80 },
    agent: agentOver(endpoint),
    method: request.head.method,
    toProxy: true,
    // http-proxy-3 builds its request options from this object.
    ssl: { maxHeaderSize: request.upstream.responseHeadBytes, insecureHTTPParser: false },
  };
  try {
    proxy.ws(PLACEHOLDER_REQUEST, client, NO_BYTES, options, (error) => events.onError(error));
  } catch (error) {
    (sent as ClientRequest | null)?.destroy();
    throw error;
  }
  const made = sent as ClientRequest | null;
  if (made === null) throw new TypeError('http-proxy-3 made no request');
  // We relay refusals: http-proxy-3 applies no back-pressure to them, and hangs if the endpoint dies.
  made.removeAllListeners('response');
  made.on('response', (answer) => events.onRefused(answer));
  return made;
}

/** Sockets of this thread that http-proxy-3 counts as open: 0 when no tunnel is open. */
export function socketsHeldByHttpProxy(): number {
  return numOpenSockets();
}

/** Counts interim responses, which are not relayed: a client that waits for a 101 has no use for them. */
function interimLimit(events: UpgradeEvents): () => void {
  let count = 0;
  return () => {
    count += 1;
    if (count > MAX_INTERIM_RESPONSES) {
      events.onError(new EndpointError('malformed-response', 'too many interim responses'));
    }
  };
}

/** An agent that hands out exactly this connection. */
function agentOver(socket: Socket): Agent {
  const agent = new Agent({ keepAlive: false, maxSockets: 1 });
  agent.createConnection = () => socket;
  return agent;
}

function ignore(): void {}
