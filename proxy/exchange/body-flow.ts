// A request's body on its way from the client to the endpoint of the attempt that runs. Thread: worker.

import type { Clock } from '../../core/clock.ts';
import type { AttemptHandle } from '../../core/exchange-contract.ts';
import type { Exchange } from './exchange.ts';

/** An endpoint wants the body: what came before is sent again, then the client's flows. */
export function beginBody(exchange: Exchange, handle: AttemptHandle): void {
  let hasRoom = true;
  for (const chunk of exchange.replay?.chunks ?? []) hasRoom = handle.sendBody(chunk);
  exchange.isBodyFlowing = true;
  exchange.isBodyHeld = !hasRoom;
  if (exchange.isBodyEnded) handle.endBody(exchange.trailers);
  else if (hasRoom) exchange.client.resumeBody();
}

/** A chunk has come from the client: kept as long as there is room for it, and passed on where somebody takes it. */
export function passBody(exchange: Exchange, chunk: Uint8Array, clock: Clock): void {
  exchange.replay?.add(chunk);
  if (!exchange.isBodyFlowing) return;
  exchange.activeMs = clock.nowMs();
  exchange.isBodyHeld = exchange.attempt?.handle?.sendBody(chunk) === false;
  if (exchange.isBodyHeld) exchange.client.pauseBody();
}
