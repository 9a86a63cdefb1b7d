// Schema of `proxyProtocol`, of listeners and of upstreams. Thread: main.

import { z } from 'zod';
import { cidr, duration } from './schema-values.ts';

const acceptOptions = z.strictObject({
  trusted: z
    .array(cidr())
    .meta({ expects: 'a list of address blocks such as [10.0.0.0/8]' })
    .describe('Addresses of the balancers that send the header; those of `trustedProxies` if absent.')
    .optional(),
  others: z
    .enum(['close', 'direct'])
    .default('close')
    .describe(
      'Connections from other addresses: `close` closes them, `direct` serves them as connections of clients, without a header.',
    ),
  timeout: duration().prefault('5s').describe('Time from accept to the end of the header.'),
});

/** `proxyProtocol` of a listener. */
export const acceptProxyProtocol = z
  .union([z.literal(false), z.literal(true).transform(() => acceptOptions.parse({})), acceptOptions])
  .meta({ expects: 'true, or a mapping with trusted, others and timeout', example: '{ trusted: [10.0.0.10] }' })
  .describe(
    'Connections begin with a header of the PROXY protocol, version 1 or 2, before TLS: a balancer for TCP in front of Fairlead names the client in it. Only the addresses in `trusted` may send it (docs/proxy-protocol.md).',
  );

const TLVS = ['alpn', 'authority', 'uniqueId', 'tls', 'checksum'] as const;

const sendOptions = z.strictObject({
  version: z
    .enum(['v1', 'v2'])
    .default('v2')
    .describe('Version of the protocol: `v1` is a line of text, `v2` is binary.'),
  tlvs: z
    .array(z.enum(TLVS))
    .meta({ expects: 'a list of alpn, authority, uniqueId, tls and checksum', example: '[authority, uniqueId]' })
    .describe(
      'Values of a `v2` header besides the addresses: the protocol of the connection (`alpn`), the server name that the client requested (`authority`), the id of the first request (`uniqueId`), the TLS version of the client (`tls`), and CRC32C (`checksum`). All but the checksum if absent.',
    )
    .optional(),
});

/** `proxyProtocol` of an upstream. */
export const sendProxyProtocol = z
  .union([z.enum(['v1', 'v2']).transform((version) => sendOptions.parse({ version })), sendOptions])
  .meta({ expects: 'v1, v2, or a mapping with version and tlvs', example: 'v2' })
  .describe(
    "Connections to the endpoints begin with a header of the PROXY protocol that names the client, before TLS; those of heartbeats say that they are Fairlead's own. A connection then serves the requests of one client only (docs/proxy-protocol.md).",
  );
