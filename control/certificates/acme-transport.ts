// HTTP to a certificate authority: bounded, over TLS, with its Retry-After and Link fields. Thread: main.

import { rootCertificates } from 'node:tls';
import { Agent, request } from 'undici';
import { readRetryAfter } from '../../core/retry-after.ts';
import { AcmeError } from './acme-error.ts';

/** Time for one exchange: CAs under load answer slowly. */
const TIMEOUT_MS = 30_000;
/** A certificate chain has a few kilobytes. */
const LARGEST_BYTES = 1024 * 1024;
/** Longest Retry-After that is obeyed: a mistake of the CA must not end renewal. */
const LONGEST_RETRY_AFTER_MS = 24 * 60 * 60 * 1000;

export interface AcmeReply {
  readonly status: number;
  readonly text: string;
  readonly location: string;
  readonly nonce: string;
  readonly retryAfterMs: number;
}

export interface TransportOptions {
  /** Certificates in PEM that are trusted besides the public CAs. */
  readonly trusted?: string | undefined;
  /** Version in User-Agent. */
  readonly version: string;
  /** Ends exchanges in progress. */
  readonly signal: AbortSignal;
  readonly wallMs: () => number;
}

export class AcmeTransport {
  readonly #options: TransportOptions;
  readonly #agent: Agent;

  constructor(options: TransportOptions) {
    this.#options = options;
    const ca = options.trusted === undefined ? undefined : [...rootCertificates, options.trusted];
    this.#agent = new Agent({
      allowH2: false,
      connect: { timeout: TIMEOUT_MS, ...(ca && { ca }) },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      maxResponseSize: LARGEST_BYTES,
      keepAliveTimeout: 1_000,
    });
  }

  /** Sends a request. Any status is an answer. @throws AcmeError where there is none */
  async send(method: 'GET' | 'HEAD' | 'POST', url: string, body?: string): Promise<AcmeReply> {
    const { version, signal, wallMs } = this.#options;
    const type = body === undefined ? {} : { 'content-type': 'application/jose+json' };
    try {
      const reply = await request(url, {
        dispatcher: this.#agent,
        method,
        headers: { 'user-agent': `fairlead/${version}`, ...type },
        body: body ?? null,
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      return {
        status: reply.statusCode,
        text: await reply.body.text(),
        location: fieldOf(reply.headers['location']),
        nonce: fieldOf(reply.headers['replay-nonce']),
        retryAfterMs: Math.min(LONGEST_RETRY_AFTER_MS, readRetryAfter(fieldOf(reply.headers['retry-after']), wallMs())),
      };
    } catch (error) {
      throw new AcmeError(`CA ${hostOf(url)} is unreachable: ${reasonOf(error as Error)}`, { cause: error });
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }
}

export function hostOf(url: string): string {
  return URL.parse(url)?.host ?? url;
}

function fieldOf(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

function reasonOf(error: Error & { code?: string }): string {
  if (error.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`;
  return error.message === '' ? (error.code ?? error.name) : error.message;
}
