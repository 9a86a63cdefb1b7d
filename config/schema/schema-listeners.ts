// Schema of `listeners`: where connections are accepted. Thread: main.

import { z } from 'zod';
import { ownClientLimits, ownClientTimeouts } from './schema-client.ts';
import { policies, policyKeys } from './schema-policies.ts';
import { bindAddress, cidr, filePath, name } from './schema-values.ts';

const certificate = z
  .strictObject({
    cert: filePath('certs/example.com.pem').describe('PEM file with the certificate, then its chain.'),
    key: filePath('certs/example.com.key').describe('PEM file with the private key, without a passphrase.'),
  })
  .meta({ expects: 'a mapping with cert and key', example: '{ cert: example.pem, key: example.key }' });

const tls = z
  .strictObject({
    certificates: z
      .array(certificate)
      .min(1)
      .meta({ expects: 'a list of mappings with cert and key', example: '[{ cert: a.pem, key: a.key }]' })
      .describe(
        'Certificates; the one whose names fit the name that the client asks for (SNI) is used, the first one otherwise.',
      ),
    minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2').describe('Oldest TLS version that is spoken.'),
    http2: z.boolean().default(true).describe('Whether HTTP/2 is offered (by ALPN).'),
  })
  .meta({ expects: 'a mapping with certificates' })
  .describe('Makes this a TLS listener.');

export const listener = z
  .strictObject({
    name: name().describe('Name in logs, metrics and routes.'),
    bind: bindAddress().describe(
      'Address to bind. `:8080` is every address of the machine; `[::]:443` needs quotes in YAML; `fd:3` is a socket that systemd hands over.',
    ),
    tls: tls.optional(),
    trustedProxies: z
      .array(cidr())
      .meta({ expects: 'a list of blocks of addresses such as [10.0.0.0/8]' })
      .default([])
      .describe('Blocks of addresses of proxies in front of Fairlead, whose `X-Forwarded-*` fields are believed.'),
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
  .describe('Where Fairlead accepts connections.');

export type ListenerConfig = z.output<typeof listener>;
