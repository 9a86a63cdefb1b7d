// The one place that talks to http-proxy-3: asks an endpoint, over a connection that stands, to switch protocols, and
// joins the two sides when it does. README.md lists its hazards. Thread: worker.

import { Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import httpProxy, { numOpenSockets } from 'http-proxy-3';
import type { AttemptRequest, UpgradeRequest } from '../../../core/exchange-contract.ts';
import { EndpointError } from '../../../net/endpoint-error.ts';
import { MAX_INTERIM_RESPONSES } from '../undici/response-gate.ts';
import type { TunnelSocket } from './tunnel-socket.ts';
import { replaceRequest } from './upgrade-request.ts';

/** What comes of asking. Never inside `sendUpgrade`. */
export interface UpgradeEvents {
  /** Before anything is written to the mouth. */
  onSwitched(answer: IncomingMessage): void;
  onRefused(answer: IncomingMessage): void;
  /** May come more than once, and after the others. */
  onError(error: Error): void;
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

/**
 * Asks, and carries the bytes between `endpoint` and `mouth` when the endpoint switches.
 * @returns the request that is being written, to be destroyed when it is given up
 * @throws TypeError where a field can't be sent: nothing has left then
 */
export function sendUpgrade(
  endpoint: Socket,
  mouth: TunnelSocket,
  task: { readonly upgrade: UpgradeRequest; readonly request: AttemptRequest },
  events: UpgradeEvents,
): ClientRequest {
  const { upgrade, request } = task;
  const proxy = httpProxy.createProxyServer();
  let sent: ClientRequest | null = null;
  // Without a listener of ours http-proxy-3 throws what it hears here.
  proxy.on('error', ignore);
  proxy.on('proxyReqWs', (made) => {
    sent = made;
    made.on('error', ignore);
    made.on('information', interimLimit(events));
    // Ahead of http-proxy-3's own listener.
    made.on('upgrade', (answer) => events.onSwitched(answer));
    replaceRequest(made, upgrade, request);
  });
  const options = {
    target: { protocol: 'http:', host: 'endpoint.invalid', port: 80 },
    agent: agentOver(endpoint),
    method: request.head.method,
    toProxy: true,
    // http-proxy-3 makes its request's options from this object.
    ssl: { maxHeaderSize: request.upstream.responseHeadBytes, insecureHTTPParser: false },
  };
  try {
    proxy.ws(PLAIN_ASK, mouth, NO_BYTES, options, (error) => events.onError(error));
  } catch (error) {
    (sent as ClientRequest | null)?.destroy();
    throw error;
  }
  const made = sent as ClientRequest | null;
  if (made === null) throw new TypeError('http-proxy-3 asked for nothing');
  // A refusal is ours to relay: http-proxy-3 has no back-pressure there, and hangs where the endpoint dies.
  made.removeAllListeners('response');
  made.on('response', (answer) => events.onRefused(answer));
  return made;
}

/** Sockets of this thread that http-proxy-3 still counts as open: 0 when no tunnel is. */
export function socketsHeldByHttpProxy(): number {
  return numOpenSockets();
}

/** Interim responses are not relayed: whoever waits for a switch has no use for them. */
function interimLimit(events: UpgradeEvents): () => void {
  let count = 0;
  return () => {
    count += 1;
    if (count > MAX_INTERIM_RESPONSES) {
      events.onError(new EndpointError('malformed-response', 'too many interim responses'));
    }
  };
}

/** An agent that has exactly this connection to give. */
function agentOver(socket: Socket): Agent {
  const agent = new Agent({ keepAlive: false, maxSockets: 1 });
  agent.createConnection = () => socket;
  return agent;
}

function ignore(): void {}
