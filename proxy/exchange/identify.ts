// Who asks, and how the exchange is called in every log. Thread: worker.

import { clientAddressOf } from './client-address.ts';
import type { Exchange } from './exchange.ts';
import type { RequestIds } from './request-id.ts';

export function identify(exchange: Exchange, ids: RequestIds): void {
  const { connection, head, runtime } = exchange;
  exchange.requestId = ids.of(connection.isTrusted, head.field('x-request-id'));
  const isTrusted = (address: string): boolean => runtime.isTrusted(connection.listenerIndex, address);
  exchange.clientAddress = clientAddressOf(connection, head.field('x-forwarded-for'), isTrusted);
}
