// The gRPC heartbeat: good when grpc.health.v1.Health/Check answers SERVING. HTTP/2 by node:http2: with prior knowledge
// to http endpoints (RFC 9113 section 3.3), by ALPN to https ones. Thread: main.

import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { GRPC_STATUSES } from '../../core/grpc-calls.ts';
import { quoted } from '../../core/option-schema.ts';
import type { Dialling } from '../../net/dial.ts';
import { resultOfError } from './check-errors.ts';
import {
  AGENT_FIELD,
  agentOption,
  defineChecker,
  hostOption,
  type HeartbeatResult,
  type HeartbeatTarget,
  type RunningCheck,
} from './checker.ts';
import { decodeCheckResponse, encodeCheckRequest, SERVING_STATUS } from './grpc-health-message.ts';
import { connectHeartbeat, hostField, isTls } from './heartbeat-connection.ts';
import { type ResponseFields, valuesOf } from './response-expectation.ts';

/** An answer of the protocol has seven bytes; more than this is none, and is not waited for. */
const MAX_ANSWER_BYTES = 1_024;
const SERVING = 1;

interface GrpcSettings {
  /** Service to check; '' for the endpoint as a whole. */
  readonly service: string;
  /** `:authority` of the request; '' for the endpoint's own. */
  readonly host: string;
  readonly acceptsAgentFeedback: boolean;
}

type GrpcTarget = HeartbeatTarget<GrpcSettings>;

class GrpcCheck implements RunningCheck {
  readonly #target: GrpcTarget;
  readonly #done: (result: HeartbeatResult) => void;
  #dialling: Dialling | null = null;
  #session: ClientHttp2Session | null = null;
  /** Fields of the head, then of the trailers too. */
  #fields: ResponseFields = {};
  #httpStatus = 0;
  readonly #chunks: Buffer[] = [];
  #sizeBytes = 0;
  /** Once connected. */
  #phase = '';
  #isOver = false;

  constructor(target: GrpcTarget, done: (result: HeartbeatResult) => void) {
    this.#target = target;
    this.#done = done;
  }

  phase(): string {
    return this.#phase || (this.#dialling?.phase ?? 'connecting');
  }

  cancel(): void {
    this.#isOver = true;
    this.#session?.destroy();
    this.#dialling?.abort();
  }

  begin(): void {
    this.#dialling = connectHeartbeat(this.#target, ['h2'], (error, socket) => {
      if (socket === null) this.#end(resultOfError(error));
      else if (socket instanceof TLSSocket && socket.alpnProtocol !== 'h2') {
        this.#end({ kind: 'fail', cause: 'TLS without HTTP/2 (ALPN h2)' });
      } else this.#call(socket);
    });
  }

  #end(result: HeartbeatResult): void {
    if (this.#isOver) return;
    this.cancel();
    this.#done(result);
  }

  #call(socket: Socket): void {
    if (this.#isOver) return;
    this.#phase = 'waiting for the response';
    const { endpoint, heartbeat } = this.#target;
    const scheme = isTls(endpoint) ? 'https' : 'http';
    const session = connect(`${scheme}://heartbeat.invalid`, {
      createConnection: () => socket,
      settings: { enablePush: false },
    });
    this.#session = session;
    session.on('error', (error) => this.#end(resultOfSession(error)));
    session.on('close', () => this.#end(this.#judge()));
    const stream = session.request({
      ':method': 'POST',
      ':scheme': scheme,
      ':authority': hostField(this.#target),
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': `${Math.ceil(heartbeat.timeoutMs)}m`,
      'user-agent': 'fairlead-heartbeat',
    });
    this.#listen(stream);
    stream.end(encodeCheckRequest(heartbeat.service));
  }

  #listen(stream: ClientHttp2Stream): void {
    const take = ({ ':status': _status, ...fields }: IncomingHttpHeaders & IncomingHttpStatusHeader): void => {
      this.#fields = { ...this.#fields, ...fields };
    };
    stream.on('response', (head) => {
      this.#httpStatus = head[':status'] ?? 0;
      take(head);
    });
    stream.on('trailers', take);
    stream.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#sizeBytes += chunk.length;
      if (this.#sizeBytes > MAX_ANSWER_BYTES) this.#end({ kind: 'fail', cause: 'an answer that is too large' });
    });
    stream.on('error', (error) => this.#end(resultOfSession(error)));
    stream.on('close', () => this.#end(this.#judge()));
  }

  /** The result of a complete response: HTTP status, then gRPC status, then the message. */
  #judge(): HeartbeatResult {
    if (this.#httpStatus === 0) return { kind: 'fail', cause: 'connection closed before the response' };
    const said = valuesOf(this.#fields, AGENT_FIELD);
    return { ...this.#verdict(), ...(said.length === 0 ? {} : { agentWords: said.join(', ') }) };
  }

  #verdict(): HeartbeatResult {
    if (this.#httpStatus !== 200) return { kind: 'fail', cause: `got ${this.#httpStatus}` };
    const { service } = this.#target.heartbeat;
    const [code] = valuesOf(this.#fields, 'grpc-status');
    if (code === undefined) return { kind: 'fail', cause: 'got an answer without grpc-status' };
    const name = GRPC_STATUSES[Number(code)] ?? 'a grpc-status that is none';
    if (name === 'NOT_FOUND') return { kind: 'fail', cause: `got NOT_FOUND: unknown service "${service}"` };
    if (name !== 'OK') return { kind: 'fail', cause: `got ${name}` };
    const status = decodeCheckResponse(Buffer.concat(this.#chunks));
    if (status === null) return { kind: 'fail', cause: 'got a malformed answer' };
    return { kind: status === SERVING ? 'ok' : 'fail', cause: `got ${SERVING_STATUS[status] ?? `status ${status}`}` };
  }
}

/** Errors of HTTP/2 itself mostly mean that the other side speaks another protocol. */
function resultOfSession(error: Error): HeartbeatResult {
  const { code } = error as NodeJS.ErrnoException;
  if (code?.startsWith('ERR_HTTP2_') === true) return { kind: 'fail', cause: `HTTP/2 failed: ${error.message}` };
  return resultOfError(error);
}

const OVER_HTTP1 = {
  code: 'FL9025',
  message:
    'requests to this upstream are sent over HTTP/1.1, which carries no gRPC: set protocol: http2 for the upstream, or check an HTTP path',
  path: ['type'],
} as const;

export const grpc = defineChecker({
  name: 'grpc',
  options: ({ z, text, host }) => ({
    service: text(
      (given) => {
        if (/^[\w.-]{1,255}$/.test(given)) return { ok: true, value: given };
        return { ok: false, message: `${quoted(given)} is not the name of a gRPC service, such as shop.v1.Orders` };
      },
      { expects: 'the name of a gRPC service', example: 'shop.v1.Orders' },
    )
      .describe('With `grpc`: the service to check; the endpoint as a whole if absent.')
      .optional(),
    host: hostOption(host),
    agent: agentOption(z),
  }),
  check: (_options, { protocol }) => (protocol === 'http1' ? [OVER_HTTP1] : []),
  compile: ({ service = '', host = '', agent }): GrpcSettings => ({ service, host, acceptsAgentFeedback: agent }),
  run: (target, done) => {
    const check = new GrpcCheck(target, done);
    check.begin();
    return check;
  },
  describe: ({ service }) => (service === '' ? 'gRPC heartbeat' : `gRPC heartbeat of ${service}`),
  covers: () => true,
});
