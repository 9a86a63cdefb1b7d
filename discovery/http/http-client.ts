// HTTP to one server that a source watches: replies and streams of lines, bounded in size and time. Over undici, on
// connections of the one dialler. Thread: main.

import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { type Dispatcher, Pool } from 'undici';
import type { Timers } from '../../core/timers.ts';
import { type DialTls, Dialler } from '../../net/dial.ts';
import { causeOfError } from '../../net/error-cause.ts';
import { bracketHost, formatHostPort } from '../../net/host-port.ts';
import type { SourceFiles } from '../source.ts';
import type { HttpAddress, HttpTls } from './http-settings.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const DEFAULT_TIMEOUT_MS = 10_000;
/** 10,000 endpoints with their metadata take less. */
const DEFAULT_LIMIT_BYTES = 32 * 1024 * 1024;
/** Of one line of a stream: one object. */
const LINE_LIMIT_BYTES = 4 * 1024 * 1024;
/** Of the body of a refusal, which goes into a message. */
const REFUSAL_BYTES = 65_536;
/** Idle connections are closed before servers do: a request on a connection that the server closes fails. */
const IDLE_MS = 2_000;

export interface HttpRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query, with a leading slash. */
  readonly path: string;
  readonly fields?: Readonly<Record<string, string>>;
  /** Sent as JSON, or as the content type among the fields has it. */
  readonly body?: string;
  /**
   * Time for the complete reply, in ms; 10 s if absent. Of a stream: for the head, and from each line to the next one.
   * 0 for no limit.
   */
  readonly timeoutMs?: number;
  /** Cancels the exchange. */
  readonly signal?: AbortSignal;
}

/** A reply with any status, or the reason why there is none: it completes "ADDRESS failed: ". */
export type HttpOutcome =
  | { readonly ok: true; readonly status: number; readonly fields: HttpFields; readonly text: string }
  | { readonly ok: false; readonly cause: string };

/** Fields of a reply, by names in lower case. */
export type HttpFields = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface HttpClientParts {
  readonly timers: Timers;
  readonly files: Pick<SourceFiles, 'readText'>;
}

export class HttpClient {
  readonly #address: HttpAddress;
  readonly #tls: HttpTls;
  readonly #parts: HttpClientParts;
  readonly #pool: Pool;

  constructor(address: HttpAddress, tls: HttpTls, parts: HttpClientParts) {
    this.#address = address;
    this.#tls = tls;
    this.#parts = parts;
    // A placeholder origin: the connector decides the address, and the Host field is set below.
    this.#pool = new Pool('http://server.invalid', {
      connect: (_options, callback) => this.#connect(callback),
      allowH2: false,
      connectTimeout: 0,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
    });
  }

  /** Sends a request and reads the complete reply. Never rejects. */
  async send(request: HttpRequest, limitBytes = DEFAULT_LIMIT_BYTES): Promise<HttpOutcome> {
    const deadline = new Deadline(request, this.#parts.timers);
    try {
      const { statusCode, headers, body } = await this.#request(request, deadline.signal);
      const text = await readText(body, limitBytes);
      if (text === null) return { ok: false, cause: `the reply has more than ${limitBytes} bytes` };
      return { ok: true, status: statusCode, fields: headers, text };
    } catch (error) {
      return { ok: false, cause: deadline.causeOf(error) };
    } finally {
      deadline.end();
    }
  }

  /**
   * Sends a request whose reply is a stream of lines, and calls `onLine` with each, after `onOpen`. Resolves at the end of
   * the stream; a status other than 2xx is an end with its text. Never rejects.
   */
  async stream(
    request: HttpRequest,
    onLine: (line: string) => void,
    onOpen: () => void = () => undefined,
  ): Promise<HttpOutcome> {
    const deadline = new Deadline(request, this.#parts.timers);
    try {
      const { statusCode: status, headers: fields, body } = await this.#request(request, deadline.signal);
      if (status < 200 || status > 299) {
        return { ok: true, status, fields, text: (await readText(body, REFUSAL_BYTES)) ?? '' };
      }
      onOpen();
      const isWhole = await readLines(body, (line) => {
        deadline.extend();
        onLine(line);
      });
      if (!isWhole) return { ok: false, cause: `a line of the stream has more than ${LINE_LIMIT_BYTES} bytes` };
      return { ok: true, status, fields, text: '' };
    } catch (error) {
      return { ok: false, cause: deadline.causeOf(error) };
    } finally {
      deadline.end();
    }
  }

  /** Closes all connections; requests in progress fail. */
  close(): void {
    this.#pool.destroy().catch(() => undefined);
  }

  #request({ method = 'GET', path, fields = {}, body }: HttpRequest, signal: AbortSignal) {
    const { host, port, isTls, socketPath, basePath } = this.#address;
    const isDefault = socketPath !== '' || port === (isTls ? 443 : 80);
    return this.#pool.request({
      method,
      path: basePath + path,
      headers: {
        host: isDefault ? bracketHost(host) : formatHostPort(host, port),
        'user-agent': 'fairlead',
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...fields,
      },
      body: body ?? null,
      signal,
    });
  }

  #connect(callback: (...outcome: [null, Socket] | [Error, null]) => void): void {
    const { host, port, socketPath, isTls } = this.#address;
    const tls = isTls ? this.#readTls() : null;
    if (tls instanceof Error) return callback(tls, null);
    const target = { host, port, socketPath, tls, timeoutMs: CONNECT_TIMEOUT_MS };
    new Dialler(target, this.#parts.timers).dial((error, socket) => {
      if (socket === null) return callback(error?.cause instanceof Error ? error.cause : error!, null);
      socket.unref();
      callback(null, socket);
    });
  }

  #readTls(): DialTls | Error {
    const { ca, cert, key, serverName, verify } = this.#tls;
    const read = (file: string): string => {
      try {
        return this.#parts.files.readText(file);
      } catch (error) {
        throw new Error(`the file ${file} ${(error as Error).message}`, { cause: error });
      }
    };
    try {
      const certificate = cert === '' ? null : { cert: read(cert), key: read(key) };
      return { verify, ca: ca.map(read), serverName, certificate, protocols: ['http/1.1'] };
    } catch (error) {
      return error as Error;
    }
  }
}

/** The time limit of one exchange, joined with the caller's signal. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #timers: Timers;
  readonly #timeoutMs: number;
  readonly #caller: AbortSignal | undefined;
  #timer: ReturnType<Timers['after']> | null = null;
  #isLate = false;

  constructor({ timeoutMs = DEFAULT_TIMEOUT_MS, signal }: HttpRequest, timers: Timers) {
    this.#timers = timers;
    this.#timeoutMs = timeoutMs;
    this.#caller = signal;
    if (signal?.aborted === true) this.#cancel();
    signal?.addEventListener('abort', this.#cancel);
    this.extend();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Starts the timer again. */
  extend(): void {
    this.#timer?.cancel();
    if (this.#timeoutMs === 0) return;
    this.#timer = this.#timers.after(this.#timeoutMs, () => {
      this.#isLate = true;
      this.#cancel();
    });
  }

  end(): void {
    this.#timer?.cancel();
    this.#caller?.removeEventListener('abort', this.#cancel);
  }

  causeOf(error: unknown): string {
    return this.#isLate ? `no answer within ${this.#timeoutMs / 1000} s` : causeOfError(error).text;
  }

  readonly #cancel = (): void => this.#controller.abort();
}

type Body = Dispatcher.ResponseData['body'];

/** The body of a reply of undici as text; null where it is larger than the limit. */
export async function readText(body: Body, limitBytes: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > limitBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Splits a body into lines without empty ones; false where one is too long. */
async function readLines(body: Body, onLine: (line: string) => void): Promise<boolean> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of body as AsyncIterable<Buffer>) {
    const parts = decoder.write(chunk).split('\n');
    parts[0] = rest + parts[0]!;
    rest = parts.pop()!;
    if (rest.length > LINE_LIMIT_BYTES) return false;
    for (const line of parts) if (line.trim() !== '') onLine(line);
  }
  if (rest.trim() !== '') onLine(rest);
  return true;
}

/** Parses JSON of a server; undefined where it is malformed. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
