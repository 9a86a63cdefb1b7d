// Schema of `admin`: address of the admin API and access to it. Thread: main.

import { z } from 'zod';
import { bindAddress, filePath, host, name, percent, secretText } from './schema-values.ts';

const TOKEN_EXAMPLE = '${ADMIN_TOKEN}';

const token = z
  .strictObject({
    name: name().describe('Holder of the token; changes are logged under this name.'),
    token: secretText(TOKEN_EXAMPLE).describe('The token; preferably from an environment variable.').optional(),
    file: filePath('secrets/ops.token').describe('File that contains the token, instead of `token`.').optional(),
    role: z
      .enum(['read', 'write'])
      .default('read')
      .describe('`read` gives access to everything except secrets; `write` can also drain endpoints and reload.'),
  })
  .meta({ expects: 'a mapping with name, token or file, and role', example: '{ name: ops, file: ops.token }' });

const tls = z
  .strictObject({
    cert: filePath('certs/admin.pem').describe('PEM file with the certificate followed by its chain.'),
    key: filePath('certs/admin.key').describe('PEM file with the private key, without a passphrase.'),
    clientCa: filePath('certs/operators.pem')
      .describe(
        'PEM file with CAs. Clients must present a certificate issued by one of them; they have the role `write` unless tokens are configured.',
      )
      .optional(),
  })
  .meta({ expects: 'a mapping with cert and key', example: '{ cert: admin.pem, key: admin.key }' })
  .describe('Serves the admin API over HTTPS.');

/** Paths that can be exempted from authentication. */
const OPEN_PATHS = ['healthz', 'livez', 'readyz', 'metrics'] as const;

export const admin = z
  .strictObject({
    bind: bindAddress().describe(
      'Bind address. One that other machines can reach requires a token or `tls.clientCa`, because the API can drain endpoints.',
    ),
    token: secretText(TOKEN_EXAMPLE)
      .describe('Token with the role `write`. Requests must send it (`Authorization: Bearer`), on loopback too.')
      .optional(),
    tokens: z
      .array(token)
      .min(1)
      .meta({ expects: 'a list of tokens', example: '[{ name: grafana, file: grafana.token, role: read }]' })
      .describe('Further tokens, with names and roles.')
      .optional(),
    tls: tls.optional(),
    hosts: z
      .array(host())
      .meta({ expects: 'a list of host names', example: '[lb.internal]' })
      .default([])
      .describe('Host names accepted in `Host`, besides localhost and IP addresses. Others are refused.'),
    open: z
      .array(z.enum(OPEN_PATHS))
      .meta({ expects: `a list of ${OPEN_PATHS.join(', ')}`, example: '[healthz, livez, readyz, metrics]' })
      .default(['healthz', 'livez', 'readyz'])
      .describe('Paths that require no token.'),
    availabilityTarget: percent('99.99%')
      .prefault('99.9%')
      .describe('Share of requests that should not fail: the dashboard shows the error budget of the last hour.'),
  })
  .meta({ expects: 'a mapping with bind', example: '{ bind: 127.0.0.1:9900 }' })
  .describe("The admin API, with metrics and Fairlead's own health. Disabled if absent.");

export type AdminConfig = z.output<typeof admin>;
