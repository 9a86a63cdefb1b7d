// The fields that tell an endpoint for whom it works: X-Forwarded-*, Forwarded, X-Request-Id, and what a route sets.
// Thread: both.

import type { ClientConnection } from '../../core/exchange-contract.ts';
import type { FieldList, RequestHead } from '../../core/head.ts';
import type { RouteSnapshot } from '../../core/snapshot/route.ts';

/** Names that only we may say to an endpoint: a client that sends them is trying to be somebody else. */
const OURS = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port', 'forwarded'] as const;

const ID = 'X-Request-Id';
const FOR = 'X-Forwarded-For';
const PROTO = 'X-Forwarded-Proto';
const HOST = 'X-Forwarded-Host';
const PORT = 'X-Forwarded-Port';

/** For each route, the names that are taken out of a request. */
export function removedFieldsOf(route: RouteSnapshot): ReadonlySet<string> {
  const replaced = route.requestHeaders.set.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  return new Set([...OURS, 'x-request-id', ...route.requestHeaders.remove, ...replaced]);
}

/** What the forwarding fields are made of. */
export interface ForwardedFacts {
  readonly connection: ClientConnection;
  readonly head: RequestHead;
  readonly requestId: string;
  readonly sendsForwarded: boolean;
  readonly route: RouteSnapshot;
}

/**
 * The fields to insert, [name, value, ...]. An untrusted peer's own X-Forwarded-* are replaced; a trusted one's
 * are continued (For) or kept (Proto, Host, Port). One line each, never two.
 */
export function insertedFieldsOf(facts: ForwardedFacts): FieldList {
  const { connection, head, requestId, route } = facts;
  const { isTrusted, peerAddress: peer } = connection;
  const chain = isTrusted ? head.field('x-forwarded-for') : undefined;
  const proto = (isTrusted ? head.field('x-forwarded-proto') : undefined) ?? (connection.isTls ? 'https' : 'http');
  const host = (isTrusted ? head.field('x-forwarded-host') : undefined) ?? head.authority;
  const port = (isTrusted ? head.field('x-forwarded-port') : undefined) ?? String(connection.localPort);
  const client = peer === '' ? '' : chain === undefined ? peer : `${chain}, ${peer}`;
  const { set } = route.requestHeaders;
  if (client !== '' && host !== '' && !facts.sendsForwarded && set.length === 0) {
    // As it mostly is, in one piece: an array that grows is made twice.
    return [PROTO, proto, PORT, port, FOR, client, HOST, host, ID, requestId];
  }
  const fields = [PROTO, proto, PORT, port];
  if (client !== '') fields.push(FOR, client);
  if (host !== '') fields.push(HOST, host);
  if (facts.sendsForwarded)
    fields.push('Forwarded', forwardedOf(facts, isTrusted ? head.field('forwarded') : undefined));
  for (const part of set) fields.push(part);
  // Last, because it alone is another each time: a transport may keep what it has made of the others.
  fields.push(ID, requestId);
  return fields;
}

/** Whether an untrusted peer sent fields that are ours: worth counting. */
export function isSpoofed(connection: ClientConnection, head: RequestHead): boolean {
  if (connection.isTrusted) return false;
  for (const name of OURS) if (head.field(name) !== undefined) return true;
  return false;
}

/** RFC 7239 section 4: our element, after those of a trusted peer. */
function forwardedOf(facts: ForwardedFacts, chain: string | undefined): string {
  const { connection, head } = facts;
  const peer = connection.peerAddress;
  const node = peer === '' ? 'unknown' : peer.includes(':') ? `"[${peer}]"` : peer;
  const host = head.authority.includes(':') ? `"${head.authority}"` : head.authority;
  const element = `for=${node};host=${host};proto=${connection.isTls ? 'https' : 'http'}`;
  return chain === undefined ? element : `${chain}, ${element}`;
}
