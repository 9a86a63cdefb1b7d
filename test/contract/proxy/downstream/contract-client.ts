// One interface for requests over HTTP/1.1 and HTTP/2, for cases that hold for both. Thread: main.

import { Agent, request as requestHttp1, type ClientRequest, type IncomingMessage } from 'node:http';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import type { Readable, Writable } from 'node:stream';
import type { FieldList } from '../../../../core/head.ts';
import { within } from '../../../support/raw-client.ts';
import { resetSocket } from '../../../../net/reset-socket.ts';

export interface ContractRequest {
  readonly method?: string;
  readonly path?: string;
  /** Lower-case names. */
  readonly fields?: FieldList;
  /** Sent at once and whole. */
  readonly body?: string;
  /** Leaves the body open: the test writes it by `upload`. */
  readonly isOpen?: boolean;
}

/** A response as a client received it. */
export interface ContractResponse {
  readonly status: number;
  /** Fields by lower-case name; repeated ones in order. */
  field(name: string): string | undefined;
  fields(name: string): string[];
  /** The body, paused until it is read. */
  readonly stream: Readable;
}

export interface ContractCall {
  /** Resolves with the head; rejects where none arrives. */
  readonly response: Promise<ContractResponse>;
  readonly upload: Writable;
  /** Interim responses so far: status and fields. */
  readonly interims: { status: number; fields: Record<string, unknown> }[];
  readonly trailers: () => Record<string, unknown>;
  /** Ends the body with trailers. */
  endWithTrailers(trailers: Record<string, string>): void;
  /** Aborts: a reset of the connection, or of the stream. */
  abort(): void;
}

export interface ContractClient {
  ask(request: ContractRequest): ContractCall;
  close(): void;
}

/** Reads a body to its clean end; fails where it is cut. */
export async function readAll(response: ContractResponse): Promise<string> {
  const read = async (): Promise<string> => {
    let body = '';
    for await (const chunk of response.stream) body += (chunk as Buffer).toString('latin1');
    return body;
  };
  return within(read(), 'the whole body');
}

export class Http1Client implements ContractClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  ask(asked: ContractRequest): ContractCall {
    const { method = 'GET', path = '/', fields = [] } = asked;
    // Node takes no array of pairs with a Host of its own making: it is given.
    const headers = ['host', 'example.test', ...fields];
    const request = requestHttp1({ host: '127.0.0.1', port: this.#port, agent: this.#agent, method, path, headers });
    const interims: { status: number; fields: Record<string, unknown> }[] = [];
    let message: IncomingMessage | null = null;
    request.on('information', (info) => interims.push({ status: info.statusCode, fields: info.headers }));
    const response = new Promise<ContractResponse>((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (incoming: IncomingMessage) => {
        message = incoming;
        incoming.on('error', () => undefined);
        resolve(responseOf(incoming));
      });
    });
    send(request, asked);
    return {
      response: limited(response),
      upload: request,
      interims,
      trailers: () => message?.trailers ?? {},
      endWithTrailers: (trailers) => endChunked(request, trailers),
      abort: () => (request.socket === null ? request.destroy() : resetSocket(request.socket)),
    };
  }

  close(): void {
    this.#agent.destroy();
  }
}

function responseOf(incoming: IncomingMessage): ContractResponse {
  const fields = (name: string): string[] => {
    const raw = incoming.rawHeaders;
    return raw.filter((_, at) => at % 2 === 1 && raw[at - 1]!.toLowerCase() === name);
  };
  return { status: incoming.statusCode ?? 0, fields, field: (name) => fields(name)[0], stream: incoming };
}

function endChunked(request: ClientRequest, trailers: Record<string, string>): void {
  request.addTrailers(trailers);
  request.end();
}

export class Http2Client implements ContractClient {
  readonly #session: ClientHttp2Session;

  readonly #scheme: string;

  constructor(port: number, isTls = true) {
    this.#scheme = isTls ? 'https' : 'http';
    this.#session = connectHttp2(`${this.#scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false });
    this.#session.on('error', () => undefined);
  }

  ask(asked: ContractRequest): ContractCall {
    const { method = 'GET', path = '/', fields = [] } = asked;
    const headers = [
      ':method',
      method,
      ':path',
      path,
      ':scheme',
      this.#scheme,
      ':authority',
      'example.test',
      ...fields,
    ];
    const isClosed = asked.isOpen !== true && asked.body === undefined;
    const stream = this.#session.request(headers, { endStream: isClosed, waitForTrailers: !isClosed });
    const interims: { status: number; fields: Record<string, unknown> }[] = [];
    let trailers: Record<string, unknown> = {};
    let ownTrailers: Record<string, string> = {};
    stream.on('headers', (info) => interims.push({ status: Number(info[':status']), fields: info }));
    stream.on('trailers', (got) => {
      trailers = got;
    });
    stream.on('wantTrailers', () => stream.sendTrailers(ownTrailers));
    const response = http2Response(stream);
    if (!isClosed) send(stream, asked);
    return {
      response: limited(response),
      upload: stream,
      interims,
      trailers: () => trailers,
      endWithTrailers: (own) => {
        ownTrailers = own;
        stream.end();
      },
      abort: () => stream.close(8),
    };
  }

  close(): void {
    this.#session.destroy();
  }
}

function http2Response(stream: ClientHttp2Stream): Promise<ContractResponse> {
  const response = new Promise<ContractResponse>((resolve, reject) => {
    stream.on('error', reject);
    stream.on('close', () => reject(new Error(`the stream closed with ${stream.rstCode}`)));
    stream.on('response', (_headers, _flags, raw: readonly string[]) => {
      const fields = (name: string): string[] => raw.filter((_, at) => at % 2 === 1 && raw[at - 1] === name);
      resolve({ status: Number(fields(':status')[0]), fields, field: (name) => fields(name)[0], stream });
    });
  });
  return response;
}

/** A case that expects no response may leave it alone. */
function limited(response: Promise<ContractResponse>): Promise<ContractResponse> {
  const awaited = within(response, 'a response');
  awaited.catch(() => undefined);
  return awaited;
}

function send(upload: ClientRequest | ClientHttp2Stream, asked: ContractRequest): void {
  if (asked.isOpen !== true) upload.end(asked.body ?? '');
  else if ('flushHeaders' in upload) upload.flushHeaders();
}
