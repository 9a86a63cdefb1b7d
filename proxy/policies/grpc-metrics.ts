// Policy: counts gRPC calls by method, with their messages and statuses. Thread: both.

import type { FieldList } from '../../core/head.ts';
import type { Policy, PolicyExchange } from '../../core/policy/policy.ts';
import { GrpcStatus, grpcStatusOf, isGrpc } from '../../core/grpc-status.ts';
import { builtIn } from './built-in.ts';
import { MessageCounter } from './message-counter.ts';

/** A call in progress. */
interface Call {
  readonly request: MessageCounter;
  readonly response: MessageCounter;
  /** -1 while it isn't known. */
  status: number;
  /** Whether Fairlead has answered, and no endpoint. */
  isOwn: boolean;
}

/** The part of an exchange that only this policy uses. */
interface CallExchange extends PolicyExchange {
  readonly responseTrailers: FieldList | null;
}

export const grpcMetrics = builtIn({
  name: 'grpc-metrics',
  scope: 'upstream',
  // The first stage is the last that responses meet: the status is the one that the client gets.
  stage: 'admit',
  needs: ['read-request-body', 'read-response-body'],
  options: ({ z }) => ({
    grpcMetrics: z
      .boolean()
      .default(false)
      .describe('Counts gRPC calls, their messages and statuses by method, for at most 200 methods (docs/metrics.md).'),
  }),
  compile: ({ grpcMetrics: isOn }) => (isOn ? { grpcMetrics: true } : null),
  explain: (_data, { request }) =>
    isGrpc(request) ? 'counts the gRPC call by its method' : 'does nothing: no gRPC call',
  create: (_data, { upstream, services }): Policy => ({
    onRequest(exchange): undefined {
      if (isGrpc(exchange.request)) exchange.memo = newCall();
    },
    onBodyChunk(exchange, chunk, direction): undefined {
      (exchange.memo as Call | undefined)?.[direction].add(chunk);
    },
    onResponse(exchange): undefined {
      const call = exchange.memo as Call | undefined;
      // A response without messages has its status in the head.
      if (call !== undefined) call.status = statusIn(exchange.response!.field('grpc-status'));
    },
    onLocalReply(exchange, { status, cause }): undefined {
      if (!isGrpc(exchange.request)) return;
      const call = (exchange.memo ??= newCall()) as Call;
      call.status = grpcStatusOf(status, cause);
      call.isOwn = true;
    },
    onEnd(exchange): undefined {
      const call = exchange.memo as Call | undefined;
      if (call === undefined) return;
      const status = call.status >= 0 ? call.status : statusInTrailers((exchange as CallExchange).responseTrailers);
      const messages = { request: call.request.count, response: call.response.count };
      const path = exchange.request.target;
      // A call that has no status was cancelled, or cut.
      const code = status < 0 ? GrpcStatus.CANCELLED : status;
      services.grpcCalls.ended(upstream!.name, path, code, call.isOwn || status < 0, messages);
    },
  }),
});

function newCall(): Call {
  return { request: new MessageCounter(), response: new MessageCounter(), status: -1, isOwn: false };
}

function statusInTrailers(trailers: FieldList | null): number {
  const at = trailers?.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'grpc-status') ?? -1;
  return at < 0 ? -1 : statusIn(trailers![at + 1]);
}

function statusIn(value: string | undefined): number {
  return value !== undefined && /^\d{1,3}$/.test(value) ? Number(value) : -1;
}
