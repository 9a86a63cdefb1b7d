// Policy: validates the W3C Trace Context of requests. An invalid `traceparent` is removed together with `tracestate`, as the
// specification requires (section 4.3); a new one is made where that is configured. Thread: both.

import { traceIdOf } from '../../core/trace-context.ts';
import { builtIn } from './built-in.ts';
import { TraceIds } from './trace-ids.ts';

export const traceContext = builtIn({
  name: 'trace-context',
  scope: 'route',
  stage: 'identify',
  needs: [],
  options: ({ z }) => {
    const options = z.strictObject({
      create: z.boolean().default(false).describe('Whether requests without a valid `traceparent` get a new one.'),
      sampled: z
        .boolean()
        .default(true)
        .describe('The flag "sampled" of a new `traceparent`: tracers of the endpoints record the request.'),
    });
    return {
      traceContext: z
        .union([z.literal(true), options])
        .transform((given) => (given === true ? options.parse({}) : given))
        .meta({ expects: 'true, or a mapping with create and sampled', example: '{ create: true }' })
        .describe(
          'Validates `traceparent` (W3C Trace Context): an invalid one is removed with `tracestate`. Without this key both are forwarded as received.',
        )
        .optional(),
    };
  },
  compile: ({ traceContext: options }, { hasUpstream }) => (hasUpstream ? (options ?? null) : null),
  explain: ({ create }, { request }) => {
    const received = request.field('traceparent');
    if (received !== undefined && traceIdOf(received) !== null) return 'passes traceparent on';
    const removal = received === undefined ? '' : 'removes an invalid traceparent';
    if (create) return removal === '' ? 'makes a traceparent' : `${removal} and makes one`;
    return removal === '' ? 'does nothing: no traceparent' : removal;
  },
  create: ({ create, sampled }) => {
    const ids = new TraceIds();
    const flags = sampled ? '01' : '00';
    return {
      onRequest(exchange) {
        // The policy `tracing` may have set it.
        const received = exchange.requestField('traceparent');
        if (received !== undefined && traceIdOf(received) !== null) {
          exchange.memo = received;
          return undefined;
        }
        if (received !== undefined) exchange.removeRequestField('traceparent');
        // A tracestate belongs to a traceparent.
        if (exchange.request.field('tracestate') !== undefined) exchange.removeRequestField('tracestate');
        if (create) {
          ids.draw();
          const made = `00-${ids.traceId}-${ids.spanId}-${flags}`;
          exchange.setRequestField('traceparent', made);
          exchange.memo = made;
        }
        return undefined;
      },
    };
  },
});
