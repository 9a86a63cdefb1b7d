// Requests to a service that decides about requests of clients: its own connections, kept and bounded, a deadline, and a
// bounded body. Thread: both.

import { Agent, type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as TlsAgent, request as requestHttps } from 'node:https';
import type { FieldList } from '../../core/head.ts';

/** Idle connections that are kept. */
const MOST_IDLE = 16;
/** Requests that wait for a decision or a connection in one worker. */
const MOST_OPEN = 1024;
/** Longest body of a refusal: a page of a login. */
const MOST_BODY_BYTES = 64 * 1024;

export interface AuthReply {
  readonly status: number;
  /** As received. */
  readonly fields: FieldList;
  /** '' of a decision that lets a request pass. */
  readonly body: Buffer;
}

export interface AuthService {
  readonly url: string;
  readonly timeoutMs: number;
  readonly connections: number;
}

export class AuthClient {
  readonly #service: AuthService;
  readonly #url: URL;
  readonly #agent: Agent;
  #open = 0;

  constructor(service: AuthService) {
    const limits = { keepAlive: true, maxSockets: service.connections, maxFreeSockets: MOST_IDLE };
    this.#service = service;
    this.#url = new URL(service.url);
    this.#agent = this.#url.protocol === 'https:' ? new TlsAgent(limits) : new Agent(limits);
  }

  /** Sends a GET with these fields. Rejects where there is no answer in time. */
  async get(fields: FieldList): Promise<AuthReply> {
    if (this.#open >= MOST_OPEN) throw new Error(`${MOST_OPEN} requests wait for it already`);
    this.#open += 1;
    try {
      const deadlineMs = performance.now() + this.#service.timeoutMs;
      return await this.#send(fields, deadlineMs, true);
    } finally {
      this.#open -= 1;
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #send(fields: FieldList, deadlineMs: number, mayRepeat: boolean): Promise<AuthReply> {
    const sent = this.#begin(fields);
    const late = new Error(`no answer within ${this.#service.timeoutMs} ms`);
    const timer = setTimeout(() => sent.destroy(late), Math.max(1, deadlineMs - performance.now()));
    try {
      return await readReply(await responseTo(sent));
    } catch (error) {
      // The service has closed an idle connection at the same moment: a GET may be sent again.
      const isStale = mayRepeat && sent.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
      if (!isStale) throw error;
    } finally {
      clearTimeout(timer);
    }
    return this.#send(fields, deadlineMs, false);
  }

  #begin(fields: FieldList): ClientRequest {
    const headers = ['Host', this.#url.host, ...fields];
    const options = { agent: this.#agent, headers };
    return this.#url.protocol === 'https:' ? requestHttps(this.#url, options) : requestHttp(this.#url, options);
  }
}

function responseTo(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.on('response', resolve);
    sent.on('error', reject);
    sent.end();
  });
}

async function readReply(response: IncomingMessage): Promise<AuthReply> {
  const { statusCode: status = 0, rawHeaders: fields } = response;
  const isPassed = status >= 200 && status < 300;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (isPassed) continue;
    size += chunk.length;
    if (size > MOST_BODY_BYTES) throw new Error(`its answer is longer than ${MOST_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return { status, fields, body: Buffer.concat(chunks) };
}
