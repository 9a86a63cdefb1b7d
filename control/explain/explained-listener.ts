// A listener in explanations. Pure. Thread: main.

import type { ExplainReply } from '../../admin/api/explain-schemas.ts';
import type { ListenerSnapshot } from '../../core/snapshot/listener.ts';

/** @param because reason for this listener */
export function explainedListener(
  { name, tls, proxyProtocol }: ListenerSnapshot,
  because: string,
): ExplainReply['listener'] {
  const proxy = proxyProtocol === null ? null : { trusted: [...proxyProtocol.trusted], others: proxyProtocol.others };
  return { name, tls: tls !== null, because, proxyProtocol: proxy };
}
