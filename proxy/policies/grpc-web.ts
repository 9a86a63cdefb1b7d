// Policy: converts gRPC-Web calls of browsers to gRPC, and the responses back. The conversion is a part of the client's side:
// proxy/exchange/grpc-web-call.ts. Thread: both.

import type { Policy } from '../../core/policy/policy.ts';
import { builtIn } from './built-in.ts';
import { GrpcWebHead, isGrpcWeb } from './grpc-web-head.ts';

const NAME = 'grpc-web';

export const grpcWeb = builtIn({
  name: NAME,
  scope: 'route',
  // Before all others: they act on a gRPC call.
  stage: 'admit',
  options: ({ z }) => ({
    grpcWeb: z
      .boolean()
      .default(false)
      .describe('Converts gRPC-Web calls of browsers (`application/grpc-web`, `application/grpc-web-text`) to gRPC.'),
  }),
  compile: ({ grpcWeb: isOn }, { hasUpstream }) => (isOn && hasUpstream ? { grpcWeb: true } : null),
  explain: (_data, { request }) =>
    isGrpcWeb(request) ? 'converts the gRPC-Web call to gRPC' : 'does nothing: no gRPC-Web call',
  create: (): Policy => ({
    onRequest({ request }): undefined {
      if (request instanceof GrpcWebHead) request.convert();
    },
  }),
});

/** Whether a route converts gRPC-Web calls. */
export function convertsGrpcWeb({ policies }: { readonly policies: readonly { readonly name: string }[] }): boolean {
  return policies.some(({ name }) => name === NAME);
}
