// Policy: tells endpoints who the client is, by X-Forwarded-*, X-Real-IP, Forwarded (RFC 7239) and X-Request-Id. Runs after all
// policies that edit request fields, so that the one field that differs in each request stands last. Thread: both.

import type { ClientConnection } from '../../core/exchange-contract.ts';
import type { FieldList, RequestHead } from '../../core/head.ts';
import type { PolicyExchange } from '../../core/policy/policy.ts';
import type { PolicySnapshot } from '../../core/snapshot/policy.ts';
import { builtIn } from './built-in.ts';
import { FORWARDED_NAMES, REQUEST_ID_NAME } from './editable-fields.ts';
import { bracketHost } from '../../net/host-port.ts';

const NAME = 'forwarding-fields';
const ID = 'X-Request-Id';
const FOR = 'X-Forwarded-For';
const PROTO = 'X-Forwarded-Proto';
const HOST = 'X-Forwarded-Host';
const PORT = 'X-Forwarded-Port';
const REAL_IP = 'X-Real-IP';

/** Names of a client's fields that never reach an endpoint. */
export const REPLACED_NAMES: readonly string[] = [...FORWARDED_NAMES, REQUEST_ID_NAME];

/** Data of the policy in a Snapshot. */
export interface ForwardingData {
  readonly forwarded: boolean;
}

/** The part of an exchange that only this policy uses: the fields that others have inserted so far. */
interface ForwardedExchange extends PolicyExchange {
  insertedFields: FieldList;
}

export const forwardingFields = builtIn({
  name: NAME,
  scope: 'listener',
  stage: 'identify',
  options: ({ z }) => ({
    forwarded: z
      .boolean()
      .default(false)
      .describe('Whether `Forwarded` (RFC 7239) is sent to endpoints in addition to `X-Forwarded-*`.'),
  }),
  compile: ({ forwarded }): ForwardingData => ({ forwarded }),
  explain: ({ forwarded }, { clientAddress }) => {
    const names = [FOR, PROTO, HOST, PORT, REAL_IP, ...(forwarded ? ['Forwarded'] : []), ID];
    return `names the client${clientAddress === '' ? '' : ` ${clientAddress}`} to the endpoint: ${names.join(', ')}`;
  },
  create: ({ forwarded: sendsForwarded }) => ({
    requestFields: { set: [], remove: REPLACED_NAMES },
    onRequest(exchange) {
      if (exchange.upstreamName === '') return;
      const editable = exchange as ForwardedExchange;
      editable.insertedFields = insertedFieldsOf(editable, sendsForwarded, editable.insertedFields);
    },
  }),
});

/** Whether a listener adds `Forwarded`. */
export function sendsForwarded({ policies }: { readonly policies: readonly PolicySnapshot[] }): boolean {
  const data = policies.find(({ name }) => name === NAME)?.data as ForwardingData | undefined;
  return data?.forwarded ?? false;
}

/** Facts that the fields are made of. */
export interface ForwardedFacts {
  readonly connection: ClientConnection;
  readonly request: RequestHead;
  readonly requestId: string;
  /** Address of the client behind trusted proxies; '' where it has none. */
  readonly clientAddress: string;
}

/**
 * The fields to insert, [name, value, ...]. An untrusted peer's own X-Forwarded-* are replaced; a trusted one's
 * are continued (For) or kept (Proto, Host, Port). One line each, never two.
 * @param others inserted by other policies
 */
export function insertedFieldsOf(facts: ForwardedFacts, sendsForwarded: boolean, others: FieldList): FieldList {
  const { connection, request, requestId, clientAddress } = facts;
  const { isTrusted, peerAddress: peer } = connection;
  // A trusted peer's empty field says nothing, and an empty element has no place in a list (RFC 9110 section 5.6.1).
  const chain = isTrusted ? withoutEmptyEnds(request.field('x-forwarded-for')) : '';
  const proto = (isTrusted && request.field('x-forwarded-proto')) || (connection.isTls ? 'https' : 'http');
  const host = (isTrusted && request.field('x-forwarded-host')) || request.authority;
  const port = (isTrusted && request.field('x-forwarded-port')) || String(connection.localPort);
  const client = peer === '' ? '' : chain === '' ? peer : `${chain}, ${peer}`;
  if (client !== '' && host !== '' && !sendsForwarded && others.length === 0) {
    // The common case in one literal: an array that grows is allocated twice.
    return [PROTO, proto, PORT, port, FOR, client, REAL_IP, clientAddress, HOST, host, ID, requestId];
  }
  if (client !== '' && host !== '' && !sendsForwarded && others.length === 2) {
    const [name, value] = others as readonly [string, string];
    return [PROTO, proto, PORT, port, FOR, client, REAL_IP, clientAddress, HOST, host, name, value, ID, requestId];
  }
  const fields = [PROTO, proto, PORT, port];
  if (client !== '') fields.push(FOR, client, REAL_IP, clientAddress);
  if (host !== '') fields.push(HOST, host);
  if (sendsForwarded)
    fields.push('Forwarded', forwardedOf(facts, isTrusted ? withoutEmptyEnds(request.field('forwarded')) : ''));
  for (const part of others) fields.push(part);
  // Last, because it alone differs in each request: a transport keeps the lines that it made of the others.
  fields.push(ID, requestId);
  return fields;
}

/** A list without empty elements at its ends; '' where there is no list. */
function withoutEmptyEnds(list: string | undefined): string {
  return list === undefined ? '' : list.replace(/^[ \t,]+|[ \t,]+$/g, '');
}

/** Whether an untrusted peer sent forwarding fields of its own: worth counting. */
export function isSpoofed(connection: ClientConnection, head: RequestHead): boolean {
  if (connection.isTrusted || head.mayClaimOrigin === false) return false;
  for (const name of FORWARDED_NAMES) if (head.field(name) !== undefined) return true;
  return false;
}

/** RFC 7239 section 4: our element, after those of a trusted peer. */
function forwardedOf({ connection, request }: ForwardedFacts, chain: string): string {
  const peer = connection.peerAddress;
  const node = peer === '' ? 'unknown' : peer.includes(':') ? `"${bracketHost(peer)}"` : peer;
  const host = request.authority.includes(':') ? `"${request.authority}"` : request.authority;
  const element = `for=${node};host=${host};proto=${connection.isTls ? 'https' : 'http'}`;
  return chain === '' ? element : `${chain}, ${element}`;
}
