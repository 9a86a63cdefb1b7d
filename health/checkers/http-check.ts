// The HTTP heartbeat: good when the endpoint answers a request with an expected status, and its body comes whole, or
// at least its first 64 KiB. Over undici, on a connection of its own, in the protocol of the upstream. Thread: main.

import type { Socket } from 'node:net';
import { Client } from 'undici';
import type { Dialling } from '../../net/dial.ts';
import { type OptionProblem, type OptionSchemas, type ParsedOption, quoted } from '../../core/option-schema.ts';
import { hasNestedRepeat, parseBodyPattern } from './body-pattern.ts';
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
import { connectHeartbeat, hostField } from './heartbeat-connection.ts';
import {
  PATTERN_BYTES,
  type ResponseExpectation,
  type ResponseFields,
  unmetExpectation,
  valuesOf,
} from './response-expectation.ts';

/** More of a body is never waited for: an endpoint that answers with a download must not cost us a download. */
const MAX_BODY_BYTES = 65_536;
/** Characters of a redirect's target in causes. */
const MAX_LOCATION = 100;

/** Offered by ALPN. */
const PROTOCOLS = { http1: ['http/1.1'], http2: ['h2'], auto: ['h2', 'http/1.1'], tcp: ['http/1.1'] } as const;

type ConnectCallback = (...outcome: [null, Socket] | [Error, null]) => void;

interface HttpSettings extends ResponseExpectation {
  readonly path: string;
  readonly method: string;
  /** Host field of the request; '' for the endpoint's own. */
  readonly host: string;
  /** Ranges of good statuses: [from, to, from, to, ...], inclusive. */
  readonly statuses: readonly number[];
  readonly acceptsAgentFeedback: boolean;
}

type HttpTarget = HeartbeatTarget<HttpSettings>;

class HttpCheck implements RunningCheck {
  readonly #target: HttpTarget;
  readonly #done: (result: HeartbeatResult) => void;
  #dialling: Dialling | null = null;
  #client: Client | null = null;
  #socket: Socket | null = null;
  /** Once connected. */
  #phase = '';
  #isOver = false;

  constructor(target: HttpTarget, done: (result: HeartbeatResult) => void) {
    this.#target = target;
    this.#done = done;
  }

  phase(): string {
    return this.#phase || (this.#dialling?.phase ?? 'connecting');
  }

  cancel(): void {
    this.#isOver = true;
    this.#dialling?.abort();
    // Rejects the pending request, whose result is no longer used. Without a destroyed client: where that has an HTTP/2
    // request in progress, undici throws in an event of the socket, which would end the process.
    if (this.#socket === null) this.#client?.destroy().catch(() => {});
    else this.#socket.destroy();
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
    // A placeholder origin: the connector decides the address, and the Host field is set below.
    this.#client = new Client('http://heartbeat.invalid', {
      connect: (_options, callback) => this.#connect(callback),
      allowH2: upstream.protocol !== 'http1',
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

  #judge(status: number, fields: ResponseFields, body: Uint8Array): HeartbeatResult {
    const { heartbeat } = this.#target;
    const got = `got ${status}${redirectWords(status, fields)}`;
    if (!isExpected(status, heartbeat.statuses)) return { kind: 'fail', cause: got };
    const unmet = unmetExpectation(heartbeat, fields, body);
    return unmet === '' ? { kind: 'ok', cause: got } : { kind: 'fail', cause: `${got} ${unmet}` };
  }

  /** undici's connector. A heartbeat makes one connection; the error of that one is the result. */
  #connect(callback: ConnectCallback): void {
    if (this.#dialling !== null) return callback(new Error('connection closed before the response'), null);
    const { protocol } = this.#target.upstream;
    this.#dialling = connectHeartbeat(this.#target, PROTOCOLS[protocol], (error, socket) => {
      if (socket !== null) {
        // undici takes the protocol from ALPN; without TLS there is none.
        if (protocol === 'http2') Object.assign(socket, { alpnProtocol: 'h2' });
        this.#phase = 'waiting for the response';
        this.#socket = socket;
        return callback(null, socket);
      }
      this.#end(resultOfError(error));
      callback(error as Error, null);
    });
  }
}

/** Reads a body to its end, or up to MAX_BODY_BYTES. Returns the part that a pattern is matched against. */
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

/** The agent report of a response, if any. */
function agentWordsIn(fields: ResponseFields): { readonly agentWords?: string } {
  const values = valuesOf(fields, AGENT_FIELD);
  return values.length === 0 ? {} : { agentWords: values.join(', ') };
}

/** Where a redirect leads: a health path behind a login page answers 302, and is not healthy. */
function redirectWords(status: number, fields: ResponseFields): string {
  const [location] = status >= 300 && status <= 399 ? valuesOf(fields, 'location') : [];
  // Log injection: only printable ASCII of the endpoint's text goes into lines.
  return location === undefined
    ? ''
    : ` (redirect to ${location.replace(/[^\x21-\x7e]+/g, '').slice(0, MAX_LOCATION)})`;
}

function isExpected(status: number, ranges: readonly number[]): boolean {
  for (let i = 0; i + 1 < ranges.length; i += 2) if (status >= ranges[i]! && status <= ranges[i + 1]!) return true;
  return false;
}

/** Fields of requests that no endpoint sends in a response: whoever expects one meant to send it. */
const REQUEST_FIELDS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'authorization',
  'cookie',
  'host',
  'origin',
  'referer',
  'user-agent',
]);

interface Expected {
  readonly body?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly method: string;
}

function problemsOf({ body, headers, method }: Expected): OptionProblem[] {
  const problems: OptionProblem[] = [];
  if (body !== undefined && method === 'HEAD') {
    const message = '"body" is not allowed with method: HEAD: a response to HEAD has no body';
    problems.push({ code: 'FL3007', message, path: ['body'], isKey: true });
  }
  if (body !== undefined && hasNestedRepeat(body)) {
    const message =
      'nested quantifiers can take exponential time on a body that almost matches, and would delay all heartbeats: remove the inner or the outer one';
    problems.push({ code: 'FL9010', message, path: ['body'] });
  }
  for (const name of Object.keys(headers)) {
    if (!REQUEST_FIELDS.has(name.toLowerCase())) continue;
    const message = `responses never carry "${name}": headers lists fields that a response must carry, not fields to send`;
    problems.push({ code: 'FL9009', message, path: ['headers', name], isKey: true });
  }
  return problems;
}

function options({ z, text, count, host, token, fieldValue }: OptionSchemas) {
  const statuses = text(parseStatusRanges, { expects: 'statuses such as 200-399', example: '200-399' });
  const expected = z
    .union([statuses, count(100, 599).transform((status) => [status, status])])
    .meta({ expects: 'a status or a range of statuses such as 200-399', example: '200-399' });
  return {
    path: text(parsePath, { expects: 'a path', example: '/healthz' })
      .prefault('/')
      .describe('Path and query of the request.'),
    method: z.enum(['GET', 'HEAD', 'OPTIONS']).default('GET').describe('Method of the request.'),
    host: hostOption(host),
    expect: z
      .union([expected, z.array(expected).min(1)])
      .transform((given) => given.flat())
      .meta({ expects: 'a status, a range such as 200-399, or a list of them', example: '200-399' })
      .prefault('200-399')
      .describe('Healthy statuses.'),
    body: text(parseBodyPattern, { expects: 'a regular expression', example: '"status":"ok"' })
      .describe('Regular expression that the first 16 KiB of the body must match; any body if absent.')
      .optional(),
    headers: z
      .record(token('the name of a header field', 'x-ready'), fieldValue().describe('Exact value of the field.'))
      .meta({ expects: 'a mapping of names to values', example: '{ x-ready: "yes" }' })
      .prefault({})
      .describe('Fields that the response must carry, with exactly these values.'),
    agent: agentOption(z),
  };
}

/** Parses statuses and ranges, separated by commas, to [from, to, from, to, ...], inclusive. */
export function parseStatusRanges(text: string): ParsedOption<number[]> {
  const ranges: number[] = [];
  for (const part of text.split(',')) {
    const match = /^ *([1-5]\d\d)(?: *- *([1-5]\d\d))? *$/.exec(part);
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (match === null || to < from) {
      const message = `${quoted(part.trim())} is not a status or a range of statuses from 100 to 599, such as 200 or 200-399`;
      return { ok: false, message };
    }
    ranges.push(from, to);
  }
  return { ok: true, value: ranges };
}

function parsePath(text: string): ParsedOption<string> {
  if (/^\/[\x21-\x7e]*$/.test(text) && !text.includes('#')) return { ok: true, value: text };
  return {
    ok: false,
    message: `${quoted(text)} is not a path: begin with / and percent-encode characters outside ASCII`,
  };
}

/** Good when the response has an expected status. Redirects aren't followed: their status is judged as it is. */
export const http = defineChecker({
  name: 'http',
  options,
  check: problemsOf,
  compile: ({ path, method, host = '', expect, body = '', headers, agent }): HttpSettings => ({
    path,
    method,
    host,
    statuses: expect,
    bodyPattern: body,
    expectedFields: Object.entries(headers).flatMap(([name, value]) => [name.toLowerCase(), value]),
    acceptsAgentFeedback: agent,
  }),
  run: (target, done) => {
    const check = new HttpCheck(target, done);
    check.begin();
    return check;
  },
  describe: ({ method, path }) => `heartbeat ${method} ${path}`,
  covers: () => true,
});
