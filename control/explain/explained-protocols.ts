// Protocols of both sides of a request, and whether gRPC and WebSocket can pass between them. Thread: main.

import type { ExplainReply } from '../../admin/api/explain-schemas.ts';
import type { ListenerSnapshot } from '../../core/snapshot/listener.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';

type Protocols = ExplainReply['protocols'];
type Passage = Protocols['grpc'];

/** @param upstream null where no endpoint serves the request @param fastPath whether our own engines serve clients */
export function explainProtocols(
  listener: ListenerSnapshot,
  upstream: UpstreamSnapshot | null,
  fastPath: boolean,
): Protocols {
  const hasHttp2 = speaksHttp2(listener);
  return {
    listener: hasHttp2 ? ['http2', 'http1'] : ['http1'],
    endpoint: upstream?.protocol ?? null,
    grpc: upstream === null ? NO_UPSTREAM : grpcPassage(listener, upstream),
    websocket: upstream === null ? NO_UPSTREAM : websocketPassage(listener, upstream, fastPath),
  };
}

/** Whether clients may use HTTP/2 on a listener. */
export function speaksHttp2({ tls, http2 }: ListenerSnapshot): boolean {
  return tls === null ? http2 : tls.http2;
}

const NO_UPSTREAM: Passage = { passes: false, because: 'the route has no upstream' };

/** gRPC needs HTTP/2 on both sides. */
function grpcPassage(listener: ListenerSnapshot, { name, protocol }: UpstreamSnapshot): Passage {
  if (!speaksHttp2(listener)) {
    const remedy = listener.tls === null ? 'set http2: true' : 'tls.http2 is false';
    return { passes: false, because: `listener ${listener.name} serves HTTP/1.1 only: ${remedy}` };
  }
  if (protocol === 'http1') {
    return { passes: false, because: `upstream ${name} is sent HTTP/1.1: set protocol: http2` };
  }
  return { passes: true, because: protocol === 'auto' ? 'where the endpoint chooses HTTP/2 by ALPN' : '' };
}

/** Over HTTP/2, a WebSocket takes an extended CONNECT (RFC 8441), which only our own engine accepts from clients. */
function websocketPassage(listener: ListenerSnapshot, { protocol }: UpstreamSnapshot, fastPath: boolean): Passage {
  const conditions: string[] = [];
  if (protocol === 'http2') conditions.push('where the endpoint offers extended CONNECT (RFC 8441)');
  if (speaksHttp2(listener) && !fastPath) conditions.push('from clients over HTTP/1.1, since fastPath is false');
  return { passes: true, because: conditions.join(', ') };
}
