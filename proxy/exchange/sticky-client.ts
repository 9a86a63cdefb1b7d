// Sticky clients (docs/algorithms.md 5.1 and 5.3): the endpoint that a client's cookie names, and the cookie that binds it to
// another. Thread: worker.

import type { FieldList } from '../../core/head.ts';
import type { Exchange } from './exchange.ts';

/** Reads our cookie and takes it out of the request, unless the route replaces or removes cookies anyway. */
export function bindToCookie(exchange: Exchange, nowWallMs: number): void {
  const { head, runtime, route, edits } = exchange;
  const sticky = exchange.target!.sticky!;
  const cookies = head.field('cookie');
  edits.stickTo(sticky.slotOf(cookies, nowWallMs));
  if (cookies === undefined || runtime.removedFields(route!).has('cookie')) return;
  const others = sticky.without(cookies);
  if (others === null) return;
  const { insertedFields } = edits;
  // The request id stays last: see forwarding-fields.ts.
  const withCookies = [...insertedFields.slice(0, -2), 'Cookie', others, ...insertedFields.slice(-2)];
  edits.replaceCookies(others === '' ? insertedFields : withCookies);
}

/**
 * The fields that bind the client to the endpoint that has responded; none where its cookie names that endpoint. A
 * response that carries a cookie is for one client only: no cache may share it.
 */
export function stickyFieldsOf(exchange: Exchange, nowWallMs: number): FieldList {
  const { sticky } = exchange.target!;
  const { endpoint, connection, edits } = exchange;
  if (sticky === null || endpoint === null) return [];
  const choice = edits.stickyChoice?.slot === endpoint.slot ? edits.stickyChoice : null;
  if (choice !== null && !choice.mustRenew) return [];
  const cookie = sticky.setCookieFor(endpoint.slot, connection.isTls, nowWallMs, choice?.sinceMs ?? nowWallMs);
  return ['Set-Cookie', cookie, 'Cache-Control', 'private'];
}
