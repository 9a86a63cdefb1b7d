// Policy: validates the W3C Trace Context of requests. An invalid `traceparent` is removed together with `tracestate`, as the
// specification requires (section 4.3); a new one is made where that is configured. Thread: both.

import { randomFillSync } from 'node:crypto';
import { traceIdOf } from '../../core/trace-context.ts';
import { builtIn } from './built-in.ts';

const TRACE_ID_BYTES = 16;
const PARENT_ID_BYTES = 8;
const ID_BYTES = TRACE_ID_BYTES + PARENT_ID_BYTES;
/** Random bytes are drawn for this many requests at once. */
const IDS_PER_DRAW = 64;

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
    const make = newTraceparents(sampled ? '01' : '00');
    return {
      onRequest(exchange) {
        const received = exchange.request.field('traceparent');
        if (received !== undefined && traceIdOf(received) !== null) {
          exchange.memo = received;
          return undefined;
        }
        if (received !== undefined) exchange.removeRequestField('traceparent');
        // A tracestate belongs to a traceparent.
        if (exchange.request.field('tracestate') !== undefined) exchange.removeRequestField('tracestate');
        if (create) {
          const made = make();
          exchange.setRequestField('traceparent', made);
          exchange.memo = made;
        }
        return undefined;
      },
    };
  },
});

/** Returns a function that makes a new `traceparent` at each call. */
function newTraceparents(flags: string): () => string {
  const bytes = Buffer.allocUnsafeSlow(ID_BYTES * IDS_PER_DRAW);
  let next = bytes.length;
  return () => {
    if (next === bytes.length) {
      randomFillSync(bytes);
      next = 0;
    }
    const ids = bytes.toString('hex', next, next + ID_BYTES);
    next += ID_BYTES;
    return `00-${ids.slice(0, 2 * TRACE_ID_BYTES)}-${ids.slice(2 * TRACE_ID_BYTES)}-${flags}`;
  };
}
