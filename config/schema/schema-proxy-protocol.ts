// Schema of `proxyProtocol`, of listeners. Thread: main.

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
