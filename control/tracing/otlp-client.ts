// HTTP to a receiver of spans: OTLP over HTTP in JSON. Thread: main.

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Agent, request } from 'undici';
import { readRetryAfter } from '../../core/retry-after.ts';
import type { TracingSnapshot } from '../../core/snapshot/tracing.ts';

const gzipped = promisify(gzip);
/** A reply has at most a sentence about refused spans. */
const LARGEST_REPLY_BYTES = 64 * 1024;

export interface ReceiverReply {
  readonly status: number;
  readonly text: string;
  /** 0 for none. */
  readonly retryAfterMs: number;
}

/** Sends requests to one receiver. */
export interface ReceiverClient {
  /** Any status is a reply. @throws Error where there is none */
  post(body: Uint8Array): Promise<ReceiverReply>;
  close(): Promise<void>;
}

export class OtlpClient implements ReceiverClient {
  readonly #settings: TracingSnapshot;
  readonly #headers: string[];
  readonly #agent: Agent;

  constructor(settings: TracingSnapshot, version: string) {
    const { timeoutMs, secrets, isCompressed } = settings;
    this.#settings = settings;
    this.#headers = ['content-type', 'application/json', 'user-agent', `fairlead/${version}`, ...secrets];
    if (isCompressed) this.#headers.push('content-encoding', 'gzip');
    this.#agent = new Agent({
      allowH2: false,
      connections: 1,
      connect: { timeout: timeoutMs },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      maxResponseSize: LARGEST_REPLY_BYTES,
    });
  }

  async post(body: Uint8Array): Promise<ReceiverReply> {
    const { url, timeoutMs, isCompressed } = this.#settings;
    const reply = await request(url, {
      dispatcher: this.#agent,
      method: 'POST',
      headers: this.#headers,
      body: isCompressed ? await gzipped(body) : body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    const retryAfter = reply.headers['retry-after'];
    const field = Array.isArray(retryAfter) ? retryAfter[0] : retryAfter;
    const text = await reply.body.text();
    return { status: reply.statusCode, text, retryAfterMs: readRetryAfter(field, Date.now()) };
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}
