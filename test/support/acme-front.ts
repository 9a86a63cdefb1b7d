// A CA in front of Pebble: passes requests on, and adds what Pebble lacks or never does: renewal information (RFC 9773),
// rate limits, failures at a chosen step. Thread: main.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Agent, request } from 'undici';
import { testCertificate } from './certificates.ts';
import type { Pebble } from './pebble.ts';

/** A request to the CA: its path, and the payload of its signed body. */
export interface FrontRequest {
  readonly method: string;
  readonly path: string;
  readonly payload: Readonly<Record<string, unknown>> | null;
}

export interface FrontReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: object;
}

/** Answers a request in place of Pebble; undefined passes it on. It may take its time. */
export type Interception = (request: FrontRequest) => FrontReply | undefined | Promise<FrontReply | undefined>;

export class AcmeFront {
  readonly requests: FrontRequest[] = [];
  intercept: Interception = () => undefined;
  /** Texts by path, sent in place of what Pebble has. */
  readonly texts = new Map<string, string>();
  /** Window that renewal information suggests, ms since 1970; null where the CA offers none. */
  window: { readonly startMs: number; readonly endMs: number } | null = null;
  readonly #pebble: Pebble;
  readonly #agent = new Agent({ connect: { rejectUnauthorized: false } });
  readonly #server = createTlsServer(testCertificate(['pebble.test']), (from, to) => void this.#pass(from, to));

  constructor(pebble: Pebble) {
    this.#pebble = pebble;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get directory(): string {
    return `${this.url}/dir`;
  }

  /** Requests whose path begins so. */
  count(prefix: string): number {
    return this.requests.filter(({ path }) => path.startsWith(prefix)).length;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await this.#agent.destroy();
  }

  async #pass(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of from) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const seen = { method: from.method!, path: from.url!, payload: payloadOf(body) };
    this.requests.push(seen);
    const text = this.texts.get(seen.path);
    if (text !== undefined) return void to.end(text);
    const reply = (await this.intercept(seen)) ?? this.#renewalInfo(seen);
    if (reply !== undefined) {
      to.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
      to.end(JSON.stringify(reply.body));
    } else await this.#forward(from, to, body);
  }

  #renewalInfo({ path }: FrontRequest): FrontReply | undefined {
    if (this.window === null || !path.startsWith('/renewal-info/')) return undefined;
    const { startMs, endMs } = this.window;
    const suggestedWindow = { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() };
    return { status: 200, headers: { 'retry-after': '3600' }, body: { suggestedWindow } };
  }

  async #forward(from: IncomingMessage, to: ServerResponse, body: Buffer): Promise<void> {
    const { origin } = new URL(this.#pebble.directory);
    try {
      const reply = await request(origin + from.url!, {
        dispatcher: this.#agent,
        method: from.method as 'GET',
        // Pebble makes its URLs, and checks those in signatures, by the Host field.
        headers: { host: from.headers.host!, 'content-type': from.headers['content-type'] ?? 'text/plain' },
        body: body.length > 0 ? body : null,
      });
      const text = await reply.body.text();
      const { 'content-length': _, ...headers } = reply.headers;
      to.writeHead(reply.statusCode, headers as Record<string, string>);
      to.end(from.url === '/dir' && this.window !== null ? this.#withRenewal(text) : text);
    } catch {
      to.destroy();
    }
  }

  #withRenewal(text: string): string {
    return JSON.stringify({ ...(JSON.parse(text) as object), renewalInfo: `${this.url}/renewal-info` });
  }
}

function payloadOf(body: Buffer): FrontRequest['payload'] {
  try {
    const { payload } = JSON.parse(body.toString()) as { payload: string };
    return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  } catch {
    return null;
  }
}

/** Answers HTTP-01 challenges from a storage, as the workers do. */
export async function challengeServer(port: number, answer: (token: string) => Promise<string | null>) {
  const server = createServer((from, to) => {
    void answer(from.url!.slice('/.well-known/acme-challenge/'.length)).then((text) => {
      to.writeHead(text === null ? 404 : 200);
      to.end(text ?? 'unknown');
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}
