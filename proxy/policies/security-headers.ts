// Policy: response fields that make browsers stricter, on responses and on local replies, where the endpoint does not set
// them itself. Thread: both.

import type { FieldList } from '../../core/head.ts';
import type { OptionSchemas, OptionsOf } from '../../core/option-schema.ts';
import type { PolicyReply } from '../../core/policy/policy.ts';
import { builtIn } from './built-in.ts';

const DAY_S = 86_400;
const HSTS = 'Strict-Transport-Security';
const REFERRER_POLICIES = [
  'no-referrer',
  'origin',
  'same-origin',
  'strict-origin',
  'strict-origin-when-cross-origin',
] as const;

/** Data of the policy in a Snapshot. */
export interface SecurityHeadersData {
  readonly securityHeaders: {
    /** [name, value, ...], for all connections and for those over TLS. */
    readonly fields: FieldList;
    readonly tlsFields: FieldList;
  };
}

export const securityHeaders = builtIn({
  name: 'security-headers',
  scope: 'route',
  stage: 'forward',
  options: (schemas) => ({ securityHeaders: securityOptions(schemas).optional() }),
  compile: (options): SecurityHeadersData | null =>
    options.securityHeaders === undefined ? null : { securityHeaders: compileFields(options.securityHeaders) },
  explain: ({ securityHeaders: { fields, tlsFields } }, { connection }) => {
    const names = (connection.isTls ? tlsFields : fields).filter((_, at) => at % 2 === 0);
    return `sets ${names.join(', ')}, unless the endpoint does`;
  },
  create: ({ securityHeaders: { fields, tlsFields } }) => ({
    onResponse(exchange): undefined {
      const wanted = exchange.connection.isTls ? tlsFields : fields;
      for (let at = 0; at < wanted.length; at += 2) {
        const name = wanted[at]!;
        if (exchange.responseField(name.toLowerCase()) === undefined) exchange.addResponseField(name, wanted[at + 1]!);
      }
    },
    onLocalReply(exchange, reply): PolicyReply {
      const wanted = exchange.connection.isTls ? tlsFields : fields;
      const names = new Set(reply.fields.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()));
      const added = wanted.filter((_, at) => !names.has(wanted[at - (at % 2)]!.toLowerCase()));
      return { ...reply, fields: [...reply.fields, ...added] };
    },
  }),
});

function securityOptions({ z, count }: OptionSchemas) {
  const options = z.strictObject({
    hsts: z
      .union([z.literal(false), count(1, 3650)])
      .default(365)
      .meta({ expects: 'a number of days from 1 to 3650, or false' })
      .describe('Days for which browsers use HTTPS only (Strict-Transport-Security); sent over TLS.'),
    hstsSubdomains: z.boolean().default(false).describe('Whether that holds for all names below the host.'),
    nosniff: z.boolean().default(true).describe('Whether `X-Content-Type-Options: nosniff` is sent.'),
    frame: z
      .enum(['deny', 'same-origin', 'allow'])
      .default('same-origin')
      .describe('Who may show the page in a frame (X-Frame-Options).'),
    referrer: z
      .enum(REFERRER_POLICIES)
      .default('strict-origin-when-cross-origin')
      .describe('What other sites learn of the address of a page (Referrer-Policy).'),
  });
  return z
    .union([z.literal(true).transform(() => options.parse({})), options])
    .meta({ expects: 'true, or a mapping with hsts, nosniff, frame and referrer', example: 'true' })
    .describe('Sets security fields on responses and local replies, unless the endpoint sets them.');
}

type SecurityOptions = OptionsOf<{ securityHeaders: ReturnType<typeof securityOptions> }>['securityHeaders'];

function compileFields(options: SecurityOptions): SecurityHeadersData['securityHeaders'] {
  const fields: string[] = [];
  if (options.nosniff) fields.push('X-Content-Type-Options', 'nosniff');
  if (options.frame !== 'allow') fields.push('X-Frame-Options', options.frame === 'deny' ? 'DENY' : 'SAMEORIGIN');
  fields.push('Referrer-Policy', options.referrer);
  const { hsts } = options;
  if (hsts === false) return { fields, tlsFields: fields };
  const value = `max-age=${hsts * DAY_S}${options.hstsSubdomains ? '; includeSubDomains' : ''}`;
  return { fields, tlsFields: [...fields, HSTS, value] };
}
