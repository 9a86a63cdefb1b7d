// One address of the admin API with its access rules: HTTP or HTTPS over node:http, every limit set explicitly.
// Thread: main.

import { constants, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import http, { type IncomingMessage, type RequestListener, type Server } from 'node:http';
import https from 'node:https';
import { TLSSocket } from 'node:tls';
import type { AdminSnapshot } from '../../core/snapshot/admin.ts';
import { formatHostPort, isLoopback } from '../../net/host-port.ts';
import { bindServer } from './admin-bind.ts';
import { boundPendingConnections } from './pending-connections.ts';
import type { CallerRules } from './request-guard.ts';

/** Every limit of Node's server, since defaults differ between versions. Times in ms. */
const LIMITS = {
  /** Slowloris: a head that is sent byte by byte. */
  headersTimeout: 10_000,
  /** The same for a body. */
  requestTimeout: 15_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
  insecureHTTPParser: false,
  requireHostHeader: true,
  noDelay: true,
} as const;
const HANDSHAKE_MS = 10_000;
const IDLE_MS = 30_000;
/** Open connections, those with a request in progress included. boundPendingConnections keeps all others below this. */
const MAX_CONNECTIONS = 1024;
const MAX_FIELDS = 100;

export class AdminBinding {
  /** Access rules; a reload may replace them at the same address. */
  admin: AdminSnapshot;
  readonly server: Server;
  #address = '';
  #isUnixSocket = false;
  #isRemote = false;
  #closed: Promise<void> | null = null;

  constructor(admin: AdminSnapshot, onRequest: RequestListener) {
    this.admin = admin;
    this.server = admin.tls === null ? http.createServer(LIMITS, onRequest) : secureServer(admin.tls, onRequest);
    this.server.timeout = IDLE_MS;
    this.server.maxConnections = MAX_CONNECTIONS;
    boundPendingConnections(this.server);
    this.server.maxHeadersCount = MAX_FIELDS;
  }

  /** Host and port, or the path of a Unix socket; '' before `listen`. */
  get address(): string {
    return this.#address;
  }

  /** Whether the file of its Unix socket was deleted: clients can't connect until the address is bound again. */
  get isFileMissing(): boolean {
    return this.#isUnixSocket && !existsSync(this.#address);
  }

  /** Rules for Host and Origin of requests to this address. */
  get rules(): CallerRules {
    const { hosts, tls } = this.admin;
    const scheme = tls === null ? 'http' : 'https';
    return { isUnixSocket: this.#isUnixSocket, isRemote: this.#isRemote, hosts, scheme };
  }

  /** @param fd descriptor of a socket that is bound there already @throws AdminBindError */
  async listen(fd?: number): Promise<void> {
    const { bind, tokens, tls } = this.admin;
    await bindServer(this.server, bind, { fd, isProtected: tokens.length > 0 || (tls?.clientCa ?? null) !== null });
    const address = this.server.address();
    this.#isUnixSocket = typeof address === 'string';
    if (address === null || typeof address === 'string') {
      this.#address = address ?? '';
      return;
    }
    this.#isRemote = !isLoopback(address.address);
    this.#address = formatHostPort(address.address, address.port);
  }

  /** Applies new rules, and new certificates for new connections. The address stays. */
  update(admin: AdminSnapshot): void {
    this.admin = admin;
    if (this.server instanceof https.Server && admin.tls !== null) this.server.setSecureContext(contextOf(admin.tls));
  }

  /** Stops accepting. Open connections are still served. */
  stopAccepting(): void {
    this.#closed ??= new Promise((resolve) => {
      this.server.close(() => resolve());
    });
  }

  /** Closes at once, with requests in progress. */
  async close(): Promise<void> {
    this.stopAccepting();
    this.server.closeAllConnections();
    await this.#closed;
  }
}

type AdminTls = NonNullable<AdminSnapshot['tls']>;

function secureServer(tls: AdminTls, onRequest: RequestListener): Server {
  const isMutual = tls.clientCa !== null;
  const options = { ...contextOf(tls), requestCert: isMutual, rejectUnauthorized: isMutual };
  return https.createServer(
    { ...LIMITS, ...options, handshakeTimeout: HANDSHAKE_MS, ALPNProtocols: ['http/1.1'] },
    onRequest,
  );
}

function contextOf({ cert, key, clientCa }: AdminTls) {
  // No session tickets: a resumed session would not present its certificate again.
  const options = { minVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_TICKET } as const;
  return clientCa === null ? { cert, key, ...options } : { cert, key, ca: clientCa, ...options };
}

/** Name in the client certificate that TLS has verified; null without one. */
export function certificateNameOf({ socket }: IncomingMessage): string | null {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return null;
  const certificate = socket.getPeerX509Certificate();
  if (!(certificate instanceof X509Certificate)) return null;
  return /^CN=(.*)$/m.exec(certificate.subject ?? '')?.[1] ?? certificate.fingerprint256;
}
