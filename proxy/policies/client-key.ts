// The part of a request that stands for its client, for limits: an address, a field or a cookie. Thread: both.

import { clientNetwork } from '../../core/address.ts';
import type { ParsedOption } from '../../core/option-schema.ts';
import type { ExplainedExchange } from '../../core/policy/policy-definition.ts';

/** Names of header fields are in lower case. */
export type ClientKey =
  | { readonly kind: 'client-ip' | 'route' }
  | { readonly kind: 'header' | 'cookie'; readonly name: string };

/** Parses `client-ip`, `route`, `header:NAME` or `cookie:NAME`. */
export function parseClientKey(text: string): ParsedOption<ClientKey> {
  if (text === 'client-ip' || text === 'route') return { ok: true, value: { kind: text } };
  const [, kind, name = ''] = /^(header|cookie):([!#$%&'*+.^_`|~0-9A-Za-z-]+)$/.exec(text) ?? [];
  if (kind === 'header') return { ok: true, value: { kind, name: name.toLowerCase() } };
  if (kind === 'cookie') return { ok: true, value: { kind, name } };
  return {
    ok: false,
    message: `${JSON.stringify(text)} is not a key: write client-ip, route, header:NAME or cookie:NAME`,
  };
}

/**
 * Reads the key of a request. One without the field or cookie counts by its address: leaving it out frees nobody.
 * An IPv6 address counts by its first 64 bits.
 */
export function clientKeyOf(key: ClientKey, { request, clientAddress }: ExplainedExchange): string {
  switch (key.kind) {
    case 'route':
      return '';
    case 'header':
    case 'cookie': {
      const value = key.kind === 'header' ? request.field(key.name) : cookieOf(request.field('cookie'), key.name);
      // A field can't begin with a space: no value is taken for an address.
      return value === undefined || value === '' ? ` ${clientNetwork(clientAddress)}` : value;
    }
    default:
      return clientNetwork(clientAddress);
  }
}

/** Value of the first cookie of a name (RFC 6265 section 4.2); undefined where there is none. */
function cookieOf(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  for (let at = 0; at < header.length; ) {
    const next = header.indexOf(';', at);
    const end = next < 0 ? header.length : next;
    while (at < end && header[at] === ' ') at += 1;
    if (header.startsWith(name, at) && header[at + name.length] === '=') {
      return header.slice(at + name.length + 1, end).trimEnd();
    }
    at = end + 1;
  }
  return undefined;
}
