// Policy: a size limit for the responses of endpoints: 502 where the head announces more, a cut where more arrives.
// Thread: both.

import type { BodySink, BodyTransform, CausedReply, PolicyExchange } from '../../core/policy/policy.ts';
import { builtIn } from './built-in.ts';

const TOO_LARGE: CausedReply = { cause: 'response-too-large' };

export const responseLimit = builtIn({
  name: 'response-limit',
  scope: 'route',
  // A late stage: the endpoint's own bytes count, before other policies change them.
  stage: 'identify',
  needs: ['reply', 'transform-response-body'],
  options: ({ size }) => ({
    responseLimit: size('1B', '1TiB')
      .describe(
        'Size limit of the response body of an endpoint. Above it: 502 if its head says so, otherwise the response is cut (termination `responseTooLarge`), and the process log has the reason.',
      )
      .optional(),
  }),
  compile: ({ responseLimit: mostBytes }, { hasUpstream }) =>
    mostBytes === undefined || !hasUpstream ? null : { mostBytes },
  explain: ({ mostBytes }) => `answers 502 to, or cuts, responses of more than ${mostBytes} bytes`,
  create: ({ mostBytes }) => ({
    onResponse(exchange: PolicyExchange) {
      const { bodyLength, hasLength } = exchange.response!;
      if (hasLength && exchange.request.method !== 'HEAD') return bodyLength > mostBytes ? TOO_LARGE : undefined;
      exchange.transformBody((sink) => new CountedBody(sink, mostBytes), { keepsBody: true });
      return undefined;
    },
  }),
});

class CountedBody implements BodyTransform {
  readonly #sink: BodySink;
  readonly #mostBytes: number;
  #leftBytes: number;

  constructor(sink: BodySink, mostBytes: number) {
    this.#sink = sink;
    this.#mostBytes = mostBytes;
    this.#leftBytes = mostBytes;
  }

  write(chunk: Uint8Array): boolean {
    this.#leftBytes -= chunk.byteLength;
    if (this.#leftBytes >= 0) return this.#sink.data(chunk);
    this.#sink.cut(`its body is over the limit of ${this.#mostBytes} bytes`);
    return false;
  }

  resume(): void {
    this.#sink.ready();
  }

  end(): void {
    this.#sink.end();
  }

  cancel(): void {}
}
