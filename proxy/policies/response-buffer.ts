// Policy: takes a response from its endpoint faster than a slow client reads it, up to a size, so that the endpoint is free
// for other requests. Acts last on responses: what waits is what the client gets. Thread: both.

import type { BodySink, BodyTransform, PolicyExchange } from '../../core/policy/policy.ts';
import { builtIn } from './built-in.ts';

/** Of `responseBuffer: true`. */
const BUFFER_BYTES = 1024 * 1024;
/** Use of a limit of the process from which buffers don't grow: sheddable requests are refused from there, too. */
const TIGHT = 0.8;

export const responseBuffer = builtIn({
  name: 'response-buffer',
  scope: 'route',
  stage: 'admit',
  needs: ['transform-response-body'],
  options: ({ z, size }) => ({
    responseBuffer: z
      .union([z.literal(true).transform(() => BUFFER_BYTES), size('1KiB', '64MiB')])
      .meta({ expects: 'true, or a size from 1KiB to 64MiB', example: '1MiB' })
      .describe(
        'Bytes of a response (`true`: 1MiB) that are received ahead of a slow client, so that it occupies no endpoint. Buffers do not grow while the process is at 80% of a limit of `overload`.',
      )
      .optional(),
  }),
  compile: ({ responseBuffer: sizeBytes }, { hasUpstream }) =>
    sizeBytes === undefined || !hasUpstream ? null : { sizeBytes },
  explain: ({ sizeBytes }) => `receives up to ${sizeBytes} bytes of the response ahead of the client`,
  create: ({ sizeBytes }, { services }) => {
    const limitBytes = (): number => (services.pressure() < TIGHT ? sizeBytes : 0);
    return {
      onResponse(exchange: PolicyExchange) {
        exchange.transformBody((sink) => new WaitingBody(sink, limitBytes), { keepsBody: true });
        return undefined;
      },
    };
  },
});

class WaitingBody implements BodyTransform {
  readonly #sink: BodySink;
  readonly #limitBytes: () => number;
  #chunks: Uint8Array[] = [];
  #waitingBytes = 0;
  #isBlocked = false;
  #isFull = false;
  #isEnding = false;

  constructor(sink: BodySink, limitBytes: () => number) {
    this.#sink = sink;
    this.#limitBytes = limitBytes;
  }

  write(chunk: Uint8Array): boolean {
    if (!this.#isBlocked) {
      this.#isBlocked = !this.#sink.data(chunk);
      return true;
    }
    // The bytes are valid during the call alone.
    this.#chunks.push(Uint8Array.from(chunk));
    this.#waitingBytes += chunk.byteLength;
    this.#isFull = this.#waitingBytes >= this.#limitBytes();
    return !this.#isFull;
  }

  resume(): void {
    this.#isBlocked = false;
    let sent = 0;
    while (sent < this.#chunks.length && !this.#isBlocked) {
      const chunk = this.#chunks[sent++]!;
      this.#waitingBytes -= chunk.byteLength;
      this.#isBlocked = !this.#sink.data(chunk);
    }
    this.#chunks = this.#chunks.slice(sent);
    if (this.#isEnding && this.#chunks.length === 0) return this.#sink.end();
    if (!this.#isFull || (this.#waitingBytes > 0 && this.#waitingBytes >= this.#limitBytes())) return;
    this.#isFull = false;
    this.#sink.ready();
  }

  end(): void {
    this.#isEnding = true;
    if (this.#chunks.length === 0) this.#sink.end();
  }

  cancel(): void {
    this.#chunks = [];
    this.#waitingBytes = 0;
  }
}
