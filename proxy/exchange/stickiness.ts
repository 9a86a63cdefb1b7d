// Keeping a client at its endpoint by a cookie (docs/algorithms.md 5.1 and 5.3): the endpoint that the cookie names, where it
// may still serve the client, and the cookie to send where it no longer does. Thread: worker.

import type { FieldList } from '../../core/head.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import type { Exchange } from './exchange.ts';
import { type Place, reserveForItsOwn } from '../placement/place.ts';

/**
 * The place that the client's cookie asks for, reserved; null where there is no valid cookie or its endpoint can't
 * serve now. Only a first attempt asks: a retry goes elsewhere.
 */
export function findStickyPlace(exchange: Exchange, context: ForwardingContext): Place | null {
  const { sticky } = exchange.target!;
  if (sticky === null || exchange.attempts > 0) return null;
  const choice = sticky.slotOf(exchange.head.field('cookie'), context.clock.wallMs());
  exchange.stickyChoice = choice;
  return choice === null ? null : reserveForItsOwn(context.region, context.worker, choice.slot);
}

/** Takes our cookie out of what endpoints get of the request, unless the route replaces or drops cookies anyway. */
export function hideStickyCookie(exchange: Exchange): void {
  const { target, head, runtime, route, insertedFields } = exchange;
  const cookies = target!.sticky === null ? undefined : head.field('cookie');
  if (cookies === undefined || runtime.removedFields(route!).has('cookie')) return;
  const others = target!.sticky!.without(cookies);
  if (others === null) return;
  exchange.hasOwnCookies = true;
  if (others === '') return;
  // The last of the inserted fields stays the last: see forwarding-fields.ts.
  exchange.insertedFields = [...insertedFields.slice(0, -2), 'Cookie', others, ...insertedFields.slice(-2)];
}

/**
 * The fields that bind the client to the endpoint that has answered; none where its cookie says so already. A response
 * with a cookie in it is one client's own and no cache may give it to another.
 */
export function stickyFieldsOf(exchange: Exchange, context: ForwardingContext): FieldList {
  const { sticky } = exchange.target!;
  const { endpoint, connection } = exchange;
  if (sticky === null || endpoint === null) return [];
  const choice = exchange.stickyChoice?.slot === endpoint.slot ? exchange.stickyChoice : null;
  if (choice !== null && !choice.mustRenew) return [];
  const nowWallMs = context.clock.wallMs();
  const cookie = sticky.setCookieFor(endpoint.slot, connection.isTls, nowWallMs, choice?.sinceMs ?? nowWallMs);
  return ['Set-Cookie', cookie, 'Cache-Control', 'private'];
}
