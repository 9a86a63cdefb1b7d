// Checks of routes for gRPC: their endpoints must be reached over HTTP/2. Thread: main.

import type { KeyPath } from '../problems/problem.ts';
import { quoted } from '../values/parsed.ts';
import type { CheckContext } from './parsed-config.ts';
import { upstreamPaths } from './validate-routes.ts';

export function checkGrpcRoutes(context: CheckContext): void {
  for (const [index, route] of context.config.routes.entries()) {
    if (route === null) continue;
    const path = ['routes', index];
    const { protocol } = route.match ?? {};
    const isForGrpc = protocol !== undefined && protocol.every((one) => one === 'grpc');
    if (context.tree.valueAt([...path, 'grpcWeb']) === true) {
      reportHttp1Upstreams(path, [...path, 'grpcWeb'], context);
    } else if (isForGrpc) reportHttp1Upstreams(path, [...path, 'match', 'protocol'], context);
  }
}

function reportHttp1Upstreams(route: KeyPath, path: KeyPath, context: CheckContext): void {
  for (const at of upstreamPaths(route, context)) {
    const name = context.tree.valueAt(at);
    if (typeof name !== 'string' || context.config.upstreams.get(name)?.protocol !== 'http1') continue;
    const remedy = 'set protocol: http2 for the upstream';
    const message = `gRPC calls are sent to upstream ${quoted(name)} over HTTP/1.1, which carries no gRPC: ${remedy}`;
    context.report({ code: 'FL9030', message, path });
  }
}
