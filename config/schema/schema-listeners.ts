// Schema of `listeners`. Thread: main.

import { z } from 'zod';
import { ownClientLimits, ownClientTimeouts } from './schema-client.ts';
import { policies, policyKeys } from './schema-policies.ts';
import { acceptProxyProtocol } from './schema-proxy-protocol.ts';
import { tls } from './schema-tls.ts';
import { bindAddress, cidr, name, optionSchemas } from './schema-values.ts';

/** Fields by which CDNs, proxies and frameworks name the client, its certificate (RFC 9440) or the requested URL. */
const TRUSTED_ONLY_FIELDS = [
  'X-Forwarded-*',
  'X-Client-IP',
  'X-Cluster-Client-IP',
  'True-Client-IP',
  'CF-Connecting-IP',
  'CF-Connecting-IPv6',
  'Fastly-Client-IP',
  'Fly-Client-IP',
  'X-Azure-ClientIP',
  'X-Envoy-External-Address',
  'X-Original-Forwarded-For',
  'X-Original-Host',
  'X-Original-URL',
  'X-Rewrite-URL',
  'Client-Cert',
  'Client-Cert-Chain',
  'X-Client-Cert-*',
  'X-SSL-Client-*',
];

const pathNormalization = z
  .strictObject({
    ambiguous: z
      .enum(['normalize', 'reject', 'keep'])
      .default('normalize')
      .describe(
        'Paths that servers read in different ways (dot segments, `//`, encoded slashes, backslashes, `;`, NUL and others), where these readings lead to different routes: `normalize` sends the endpoint the normalized path, or answers 400 if that is still ambiguous; `reject` answers 400; `keep` routes by the normalized path and forwards the path as received, which a client can use to get past a route.',
      ),
    forward: z
      .enum(['received', 'normalized'])
      .default('received')
      .describe('Path sent to endpoints: as received, or always normalized.'),
  })
  .prefault({})
  .meta({ expects: 'a mapping with ambiguous and forward', example: '{ ambiguous: reject }' })
  .describe('Routes are compared with the normalized path (docs/routing.md).');

export const listener = z
  .strictObject({
    name: name().describe('Name in logs, metrics and routes.'),
    bind: bindAddress().describe(
      'Bind address. `:8080` binds every address of the machine; `[::]:443` must be quoted in YAML; `fd:3` is a socket passed by systemd.',
    ),
    proxyProtocol: acceptProxyProtocol.optional(),
    mode: z
      .enum(['http', 'tcp'])
      .default('http')
      .describe(
        'Protocol of the clients: `http`, or `tcp` for sessions of any protocol over TCP, which are relayed as they are (docs/tcp.md).',
      ),
    tls: tls.optional(),
    http2: z
      .boolean()
      .default(false)
      .describe(
        'Whether a listener without TLS serves HTTP/2 with prior knowledge (h2c) beside HTTP/1.1: the first bytes of a connection decide. A listener with TLS has `tls.http2`.',
      ),
    trustedProxies: z
      .array(cidr())
      .meta({ expects: 'a list of address blocks such as [10.0.0.0/8]' })
      .default([])
      .describe('Addresses of the proxies in front of Fairlead whose `X-Forwarded-*` fields are trusted.'),
    trustedOnlyFields: z
      .array(optionSchemas.fieldName())
      .meta({ expects: 'a list of names of header fields', example: '[X-Client-IP, X-Forwarded-*]' })
      .default(TRUSTED_ONLY_FIELDS)
      .describe(
        'Request fields that only `trustedProxies` may send: they are removed from the requests of other clients, which could pose as somebody else by them. `X-Forwarded-*` stands for all names that begin so. A list replaces the default one.',
      ),
    underscoreFields: z
      .enum(['drop', 'refuse', 'pass'])
      .default('drop')
      .describe(
        'Request fields whose name has an underscore: `drop` removes them, `refuse` answers 400, `pass` forwards them. Many servers (CGI, WSGI, PHP) turn dashes into underscores, so that a client could send `X_Forwarded_For` beside the `X-Forwarded-For` that Fairlead sets.',
      ),
    pathNormalization,
    ...policyKeys('listener'),
    policies,
    timeouts: ownClientTimeouts.optional(),
    limits: ownClientLimits.optional(),
  })
  .meta({ expects: 'a listener with name and bind', example: '{ name: web, bind: 0.0.0.0:8080 }' });

export const listeners = z
  .array(listener)
  .min(1)
  .meta({ expects: 'a list of listeners', example: '[{ name: web, bind: 0.0.0.0:8080 }]' })
  .describe('Addresses on which Fairlead accepts connections.');

export type ListenerConfig = z.output<typeof listener>;
