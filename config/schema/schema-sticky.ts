// Schema of an upstream's `sticky`: the cookie that keeps a client at its endpoint. Thread: main.

import { z } from 'zod';
import { duration, secretText, token } from './schema-values.ts';

const SECRET_EXAMPLE = '${STICKY_SECRET}';

export const sticky = z
  .strictObject({
    cookie: token('the name of a cookie', 'lb').describe('Name of the cookie.'),
    secret: secretText(SECRET_EXAMPLE)
      .describe(
        'Signs the cookie, so that clients cannot choose their endpoint; best taken from the environment. Absent: drawn at each start.',
      )
      .optional(),
    secrets: z
      .array(secretText(SECRET_EXAMPLE))
      .min(1)
      .meta({ expects: 'a list of secrets', isSecret: true, example: `["\${STICKY_SECRET}", "\${OLD_STICKY_SECRET}"]` })
      .describe('In place of `secret`, to change it without losing sessions: the first signs, all are accepted.')
      .optional(),
    maxIdle: duration({ orNone: true })
      .prefault('30m')
      .describe('How long a cookie is good without a request; it is issued anew after half of that.'),
    maxLife: duration({ orNone: true })
      .prefault('12h')
      .describe('How long a client stays at one endpoint however often it comes.'),
    sameSite: z
      .enum(['lax', 'strict', 'none'])
      .default('lax')
      .describe('Whether the cookie comes along from other sites (attribute SameSite).'),
    httpOnly: z.boolean().default(true).describe('Whether the cookie is kept from scripts (attribute HttpOnly).'),
    passOn: z
      .boolean()
      .default(false)
      .describe('Whether endpoints get the cookie too. It says nothing to anybody but Fairlead.'),
    secure: z
      .enum(['auto', 'always', 'never'])
      .default('auto')
      .describe('Whether the cookie is for HTTPS only (attribute Secure); `auto` is on listeners with TLS.'),
  })
  .meta({ expects: 'a mapping with cookie and secret', example: '{ cookie: lb, secret: "${STICKY_SECRET}" }' })
  .describe('A signed cookie that keeps each client at its endpoint as long as that is usable. None if absent.')
  .optional();

export type StickyConfig = NonNullable<z.output<typeof sticky>>;
