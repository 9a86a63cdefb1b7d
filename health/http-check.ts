// The HTTP heartbeat: good when the endpoint answers a request with an expected status, and its body comes whole, or
// at least its first 64 KiB. Over undici, on a connection of its own. Thread: main.

import { isIPv6, type Socket } from 'node:net';
import { Client } from 'undici';
import { resultOfError } from './check-errors.ts';
import { bareHost, dial, heartbeatPort, secure } from './dial.ts';
import type { Checker, HeartbeatResult, HeartbeatTarget, RunningCheck } from './heartbeat-contract.ts';

/** More of a body is never waited for: an endpoint that answers with a download must not cost us a download. */
const MAX_BODY_BYTES = 65_536;

type ConnectCallback = (...outcome: [null, Socket] | [Error, null]) => void;

/** Sends one request. Redirects are not followed: a status in 300-399 is judged as it is. */
export const httpCheck: Checker = (target, done) => {
  const check = new HttpCheck(target, done);
  check.begin();
  return check;
};

class HttpCheck implements RunningCheck {
  readonly #target: HeartbeatTarget;
  readonly #done: (result: HeartbeatResult) => void;
  readonly #sockets: Socket[] = [];
  #client: Client | null = null;
  #phase = 'connecting';
  #isOver = false;

  constructor(target: HeartbeatTarget, done: (result: HeartbeatResult) => void) {
    this.#target = target;
    this.#done = done;
  }

  phase(): string {
    return this.#phase;
  }

  cancel(): void {
    this.#isOver = true;
    for (const socket of this.#sockets) socket.destroy();
    // Rejects what is still pending, which nobody waits for any more.
    this.#client?.destroy().catch(() => {});
  }

  begin(): void {
    this.#request().then(
      (result) => this.#end(result),
      (error: unknown) => this.#end(resultOfError(error)),
    );
  }

  #end(result: HeartbeatResult): void {
    if (this.#isOver) return;
    this.cancel();
    this.#done(result);
  }

  async #request(): Promise<HeartbeatResult> {
    const { heartbeat, upstream } = this.#target;
    // The origin names nobody: the connector decides where to, and the Host field is our own.
    this.#client = new Client('http://heartbeat.invalid', {
      connect: (_options, callback) => this.#connect(callback),
      allowH2: false,
      // One timeout covers everything, and it is the scheduler's.
      connectTimeout: 0,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: upstream.responseHeadBytes,
    });
    const { statusCode, body } = await this.#client.request({
      method: heartbeat.method,
      path: heartbeat.path,
      headers: { host: hostField(this.#target), 'user-agent': 'fairlead-heartbeat', accept: '*/*' },
      reset: true,
    });
    this.#phase = 'reading the body';
    await readSome(body);
    return { kind: isExpected(statusCode, heartbeat.statuses) ? 'ok' : 'fail', cause: `got ${statusCode}` };
  }

  /** undici's way to a connection. One heartbeat makes one; what goes wrong with it is the result. */
  #connect(callback: ConnectCallback): void {
    if (this.#sockets.length > 0) return callback(new Error('connection closed before the response'), null);
    let isSettled = false;
    const fail = (error: Error): void => {
      if (isSettled) return;
      isSettled = true;
      this.#end(resultOfError(error));
      callback(error, null);
    };
    const use = (socket: Socket): void => {
      isSettled = true;
      this.#phase = 'waiting for the response';
      callback(null, socket);
    };
    try {
      const socket = this.#keep(dial(this.#target), fail);
      socket.once('connect', () => {
        if (this.#target.endpoint.protocol !== 'https') return use(socket);
        this.#phase = 'in the TLS handshake';
        const secured = this.#keep(secure(socket, this.#target), fail);
        secured.once('secureConnect', () => use(secured));
      });
    } catch (error) {
      fail(error as Error);
    }
  }

  /** Holds a socket for `cancel`, with an error handler for as long as it lives. */
  #keep(socket: Socket, onError: (error: Error) => void): Socket {
    this.#sockets.push(socket);
    return socket.on('error', onError);
  }
}

/** Reads a body to its end, or until enough of it has come. */
async function readSome(body: AsyncIterable<Uint8Array>): Promise<void> {
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes >= MAX_BODY_BYTES) return;
  }
}

function isExpected(status: number, ranges: readonly number[]): boolean {
  for (let i = 0; i + 1 < ranges.length; i += 2) if (status >= ranges[i]! && status <= ranges[i + 1]!) return true;
  return false;
}

/** What the Host field says (RFC 9112 section 3.2): what is configured, or the endpoint's own address. */
function hostField(target: HeartbeatTarget): string {
  const { endpoint, heartbeat } = target;
  if (heartbeat.host !== '') return heartbeat.host;
  if (endpoint.socketPath !== '') return 'localhost';
  const bare = bareHost(endpoint.host);
  const host = isIPv6(bare) ? `[${bare}]` : bare;
  const port = heartbeatPort(target);
  const isDefault = port === (endpoint.protocol === 'https' ? 443 : 80);
  return isDefault ? host : `${host}:${port}`;
}
