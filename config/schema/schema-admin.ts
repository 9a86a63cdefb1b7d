// Schema of `admin`: where the admin API listens, and who may use it. Thread: main.

import { z } from 'zod';
import { bindAddress, filePath, host, name, secretText } from './schema-values.ts';

const TOKEN_EXAMPLE = '${ADMIN_TOKEN}';

const token = z
  .strictObject({
    name: name().describe('Who has it: changes are logged under this name.'),
    token: secretText(TOKEN_EXAMPLE).describe('The token; best taken from the environment.').optional(),
    file: filePath('secrets/ops.token').describe('In place of `token`: a file that holds it.').optional(),
    role: z
      .enum(['read', 'write'])
      .default('read')
      .describe('`read` sees everything but secrets, `write` may drain endpoints and reload too.'),
  })
  .meta({ expects: 'a mapping with name, token or file, and role', example: '{ name: ops, file: ops.token }' });

const tls = z
  .strictObject({
    cert: filePath('certs/admin.pem').describe('PEM file with the certificate, then its chain.'),
    key: filePath('certs/admin.key').describe('PEM file with the private key, without a passphrase.'),
    clientCa: filePath('certs/operators.pem')
      .describe(
        'PEM file with CAs. Only clients with a certificate of one of them are let in; they may change things, unless tokens say otherwise.',
      )
      .optional(),
  })
  .meta({ expects: 'a mapping with cert and key', example: '{ cert: admin.pem, key: admin.key }' })
  .describe('Makes the admin API speak HTTPS.');

/** Paths that need no token if they are listed. */
const OPEN_PATHS = ['healthz', 'livez', 'readyz', 'metrics'] as const;

export const admin = z
  .strictObject({
    bind: bindAddress().describe(
      'Address to bind. One that other machines can reach needs a token or `tls.clientCa`, for whoever reaches it can drain endpoints.',
    ),
    token: secretText(TOKEN_EXAMPLE)
      .describe('A token that may change things. Requests must bring it (`Authorization: Bearer`), on loopback too.')
      .optional(),
    tokens: z
      .array(token)
      .min(1)
      .meta({ expects: 'a list of tokens', example: '[{ name: grafana, file: grafana.token, role: read }]' })
      .describe('More tokens, with names and roles.')
      .optional(),
    tls: tls.optional(),
    hosts: z
      .array(host())
      .meta({ expects: 'a list of host names', example: '[lb.internal]' })
      .default([])
      .describe('Names under which it is reached. Others are refused in `Host`, but for localhost and addresses.'),
    open: z
      .array(z.enum(OPEN_PATHS))
      .meta({ expects: `a list out of ${OPEN_PATHS.join(', ')}`, example: '[healthz, livez, readyz, metrics]' })
      .default(['healthz', 'livez', 'readyz'])
      .describe('What needs no token.'),
  })
  .meta({ expects: 'a mapping with bind', example: '{ bind: 127.0.0.1:9900 }' })
  .describe('The admin API with metrics and health of Fairlead itself. Absent: none.');

export type AdminConfig = z.output<typeof admin>;
