// Policy: decides which requests are traced, and passes the W3C Trace Context on. The spans are made by the worker's
// RequestTracer. Thread: both.

import type { TracingDefaults } from '../../core/policy/policy-definition.ts';
import type { FieldList } from '../../core/head.ts';
import type { RequestTracer } from '../../core/request-tracer.ts';
import type { Policy, PolicyExchange } from '../../core/policy/policy.ts';
import { formatTraceparent, parseTraceparent, type Traceparent } from '../../core/trace-context.ts';
import { builtIn } from './built-in.ts';
import { TraceIds } from './trace-ids.ts';

/** The part of an exchange that only this policy uses. */
interface TracedExchange extends PolicyExchange {
  readonly exchange: object;
  insertedFields: FieldList;
}

export const tracing = builtIn({
  name: 'tracing',
  scope: 'route',
  // The first of the first stage: a request that another policy refuses is traced, too.
  stage: 'admit',
  needs: [],
  options: ({ z, percent }) => {
    const options = z
      .strictObject({
        sampling: percent('100%').describe('Share of new traces of this route that is recorded.'),
      })
      .meta({ expects: 'a mapping with sampling', example: '{ sampling: 100% }' });
    return {
      tracing: z
        .union([z.literal(false), options])
        .meta({ expects: 'false, or a mapping with sampling', example: 'false' })
        .describe('Tracing of this route, in place of the top-level `tracing`; `false` records no request of it.')
        .optional(),
    };
  },
  compile: ({ tracing: own }, { tracing: shared, report }) => {
    if (own === false) return null;
    if (shared !== null) return { ratio: (own?.sampling ?? shared.samplingPercent) / 100, parent: shared.parent };
    const message = 'no request is traced without tracing at the top level, which names the endpoint of a receiver';
    if (own !== undefined) report({ message, path: ['tracing'], part: 'key' });
    return null;
  },
  explain: ({ ratio, parent }, { request }) => {
    const received = parseTraceparent(request.field('traceparent') ?? '');
    const share = `${Number((ratio * 100).toFixed(4))} % of requests`;
    if (received === null || parent === 'ignore') return `begins a trace; records ${share}`;
    const flag = received.isSampled ? 'records the request' : 'records nothing';
    if (parent === 'follow') return `continues the trace and ${flag}`;
    return `continues the trace; ${flag} of a trusted proxy, and ${share} of others`;
  },
  create: (data, { services: { tracer } }) => policyOf(data, tracer),
});

interface TracingData extends Pick<TracingDefaults, 'parent'> {
  readonly ratio: number;
}

function policyOf({ ratio, parent }: TracingData, tracer: RequestTracer): Policy {
  const ids = new TraceIds();
  const begin = (exchange: PolicyExchange): string => {
    if (exchange.request.field('tracestate') !== undefined) exchange.removeRequestField('tracestate');
    ids.draw();
    if (!ids.isInSample(ratio)) return ids.unrecorded;
    return tracer.begin((exchange as TracedExchange).exchange, ids.traceId, '', '');
  };
  const continued = (exchange: PolicyExchange, { traceId, parentId, isSampled }: Traceparent): string => {
    ids.draw();
    const isFollowed = parent === 'follow' || exchange.connection.isTrusted;
    if (!(isFollowed ? isSampled : ids.isInSample(ratio))) return formatTraceparent(traceId, parentId, false);
    const state = exchange.request.field('tracestate') ?? '';
    return tracer.begin((exchange as TracedExchange).exchange, traceId, parentId, state);
  };
  return {
    onRequest(exchange): undefined {
      const received = exchange.request.field('traceparent');
      const valid = received === undefined || parent === 'ignore' ? null : parseTraceparent(received);
      const sent = valid === null ? begin(exchange) : continued(exchange, valid);
      exchange.memo = sent;
      if (sent !== received) send(exchange as TracedExchange, sent);
    },
    onEnd(exchange, record): undefined {
      tracer.ended((exchange as TracedExchange).exchange, record);
    },
  };
}

/** Without the checks of `setRequestField` where no other field is inserted yet. */
function send(exchange: TracedExchange, traceparent: string): void {
  if (exchange.insertedFields.length === 0) exchange.insertedFields = ['traceparent', traceparent];
  else exchange.setRequestField('traceparent', traceparent);
}
