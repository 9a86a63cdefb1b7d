// The HTTP heartbeat: good when the endpoint answers a request with an expected status, and its body comes whole, or
// at least its first 64 KiB. Over undici, on a connection of its own. Thread: main.

import type { Socket } from 'node:net';
import { Client } from 'undici';
import { AGENT_FIELD } from '../weight/agent-words.ts';
import { type AnswerFields, PATTERN_BYTES, unmetExpectation, valuesOf } from './answer-expectation.ts';
import { resultOfError } from './check-errors.ts';
import { destroyAll, dial, hostField, secure } from './dial.ts';
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
    destroyAll(this.#sockets);
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
    const { statusCode, headers, body } = await this.#client.request({
      method: heartbeat.method,
      path: heartbeat.path,
      headers: { host: hostField(this.#target), 'user-agent': 'fairlead-heartbeat', accept: '*/*' },
      reset: true,
    });
    this.#phase = 'reading the body';
    const begin = await readSome(body);
    return { ...this.#judge(statusCode, headers, begin), ...agentWordsIn(headers) };
  }

  #judge(status: number, fields: AnswerFields, body: Uint8Array): HeartbeatResult {
    const { heartbeat } = this.#target;
    if (!isExpected(status, heartbeat.statuses)) return { kind: 'fail', cause: `got ${status}` };
    const unmet = unmetExpectation(heartbeat, fields, body);
    return unmet === '' ? { kind: 'ok', cause: `got ${status}` } : { kind: 'fail', cause: `got ${status} ${unmet}` };
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
        const secured = this.#keep(secure(socket, this.#target, 'http/1.1'), fail);
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

/** Reads a body to its end, or until enough of it has come. Returns what a pattern may look at. */
async function readSome(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const begin: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    if (sizeBytes < PATTERN_BYTES) begin.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes >= MAX_BODY_BYTES) break;
  }
  return Buffer.concat(begin);
}

/** What the endpoint says of itself, if anything. */
function agentWordsIn(fields: AnswerFields): { readonly agentWords?: string } {
  const values = valuesOf(fields, AGENT_FIELD);
  return values.length === 0 ? {} : { agentWords: values.join(', ') };
}

function isExpected(status: number, ranges: readonly number[]): boolean {
  for (let i = 0; i + 1 < ranges.length; i += 2) if (status >= ranges[i]! && status <= ranges[i + 1]!) return true;
  return false;
}
