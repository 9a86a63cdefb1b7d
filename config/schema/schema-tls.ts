// Schema of `listeners[].tls`. Thread: main.

import { z } from 'zod';
import { acme, internal } from './schema-acme.ts';
import { filePath, oneOrMany } from './schema-values.ts';

const certificate = z
  .strictObject({
    cert: filePath('certs/example.com.pem').describe('PEM file with the certificate followed by its chain.'),
    key: filePath('certs/example.com.key').describe('PEM file with the private key, without a passphrase.'),
  })
  .meta({ expects: 'a mapping with cert and key', example: '{ cert: example.pem, key: example.key }' });

const version = z.enum(['TLSv1.2', 'TLSv1.3']);

function names(expects: string, example: string) {
  return z
    .array(z.string().regex(/^[\w.-]+$/))
    .min(1)
    .meta({ expects, example });
}

const tlsOptions = z
  .strictObject({
    certificates: z
      .array(certificate)
      .min(1)
      .meta({ expects: 'a list of mappings with cert and key', example: '[{ cert: a.pem, key: a.key }]' })
      .describe('Certificates. The one that covers the requested server name (SNI) is used, otherwise the first.')
      .optional(),
    acme: acme.optional(),
    internal: internal.optional(),
    fromProviders: z
      .boolean()
      .describe('Whether certificates of `providers`, such as TLS secrets of Kubernetes, join those of this listener.')
      .optional(),
    strictSni: z
      .boolean()
      .default(false)
      .describe('Whether clients that request no server name, or one that no certificate covers, are refused.'),
    profile: z
      .enum(['intermediate', 'modern'])
      .default('intermediate')
      .describe(
        "Versions, cipher suites and groups of Mozilla's guidelines: `intermediate` accepts TLS 1.2 and 1.3, `modern` TLS 1.3 only.",
      ),
    minVersion: version
      .describe(
        'Oldest TLS version that is accepted, in place of that of the profile: `TLSv1.2`, or `TLSv1.3` for `modern`.',
      )
      .optional(),
    maxVersion: version.describe('Newest TLS version that is accepted; the newest there is if absent.').optional(),
    ciphers: names('a list of cipher suites', '[TLS_AES_128_GCM_SHA256, ECDHE-ECDSA-AES128-GCM-SHA256]')
      .describe(
        "Cipher suites by OpenSSL's names, in place of those of the profile; the server's order counts. Without one for TLS 1.3 those of the profile are kept for it.",
      )
      .optional(),
    curves: names('a list of groups', '[X25519, prime256v1]')
      .describe("Groups of the key exchange by OpenSSL's names, in place of those of the profile.")
      .optional(),
    clientAuth: z
      .enum(['required', 'optional'])
      .describe(
        'Client certificates: `required` refuses clients without one; `optional` serves them. A certificate that `clientCa` has not issued, that has expired or is revoked is always refused.',
      )
      .optional(),
    clientCa: oneOrMany(filePath('certs/clients-ca.pem'))
      .describe('PEM file or files with the CAs of client certificates.')
      .optional(),
    clientCrl: oneOrMany(filePath('certs/clients.crl'))
      .describe(
        'PEM file or files with the revocation lists of these CAs. With one, every CA of a chain needs one that is not out of date.',
      )
      .optional(),
    alpn: z
      .array(z.string().regex(/^[\x21-\x7e]{1,255}$/))
      .meta({ expects: 'a list of protocol names', example: '[postgresql]' })
      .default([])
      .describe(
        'Protocols that a listener with `mode: tcp` offers by ALPN, the preferred one first: clients that offer others only are refused. Without one, ALPN of clients is ignored.',
      ),
    http2: z.boolean().default(true).describe('Whether HTTP/2 is offered (ALPN).'),
  })
  .meta({ expects: 'a mapping with certificates, acme or internal' });

export const tls = z
  .union([z.literal('internal').transform(() => tlsOptions.parse({ internal: true })), tlsOptions])
  .meta({
    expects: 'internal, or a mapping with certificates or acme',
    example: '{ acme: { email: ops@example.com } }',
  })
  .describe('Terminates TLS on this listener.');

export type TlsConfig = z.output<typeof tls>;
