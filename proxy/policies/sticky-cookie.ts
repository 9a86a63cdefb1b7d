// Policy: keeps a client at its endpoint by a signed cookie (docs/algorithms.md 5.1 and 5.3). Reads the cookie before
// the request is placed, keeps it from endpoints, and issues one where the answering endpoint is another.
// Thread: both.

import { randomBytes } from 'node:crypto';
import { cookieValue } from '../../core/cookie.ts';
import type { PolicyExchange } from '../../core/policy/policy.ts';
import type { OptionSchemas, OptionsOf } from '../../core/option-schema.ts';
import type { PolicySnapshot } from '../../core/snapshot/policy.ts';
import type { StickySnapshot, UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { builtIn } from './built-in.ts';
import { StickyCookies, type StickyChoice } from './sticky-cookies.ts';

const NAME = 'sticky-cookie';
const SECRET_EXAMPLE = '${STICKY_SECRET}';
const SAME_SITE = { lax: 'Lax', strict: 'Strict', none: 'None' } as const;
/** Signs where no secret is configured: drawn once, so that sessions outlive reloads but not the process. */
const PROCESS_SECRET = randomBytes(24).toString('base64');

/** Data of the policy in a Snapshot. */
export interface StickyData {
  readonly sticky: StickySnapshot;
}

/** The part of an exchange that only this policy uses: the endpoint where a first attempt goes if it can serve. */
interface StickyExchange extends PolicyExchange {
  preferSlot(slot: number): void;
}

export const stickyCookie = builtIn({
  name: NAME,
  scope: 'upstream',
  stage: 'forward',
  options: (schemas) => ({ sticky: sticky(schemas).optional() }),
  compile: (options): StickyData | null =>
    options.sticky === undefined ? null : { sticky: compileSticky(options.sticky) },
  explain: ({ sticky: { cookie } }, { request }) =>
    cookieValue(request.field('cookie'), cookie) === undefined
      ? `issues the cookie ${cookie} with the endpoint that answers`
      : `keeps the client at the endpoint in its cookie ${cookie}, if it is genuine`,
  create: (data, { upstream }) => stickyPolicy(new StickyCookies(data.sticky, upstream!.endpoints, upstream!.name)),
});

/** Settings of an upstream's cookie; null where it has none. */
export function stickyOf({ policies }: { readonly policies: readonly PolicySnapshot[] }): StickySnapshot | null {
  const data = policies.find(({ name }) => name === NAME)?.data as StickyData | undefined;
  return data?.sticky ?? null;
}

function stickyPolicy(cookies: StickyCookies) {
  return {
    onRequest(exchange: PolicyExchange): undefined {
      const header = exchange.request.field('cookie');
      if (header === undefined) return;
      const choice = cookies.slotOf(header, exchange.wallMs);
      if (choice !== null) {
        exchange.memo = choice;
        (exchange as StickyExchange).preferSlot(choice.slot);
      }
      hideCookie(exchange, cookies);
    },
    onEndpoints({ endpoints }: UpstreamSnapshot): void {
      cookies.replaceEndpoints(endpoints);
    },
    /** A response with a cookie in it is one client's own, and no cache may give it to another. */
    onResponse(exchange: PolicyExchange): undefined {
      const { endpoint, connection, wallMs } = exchange;
      if (endpoint === null || !cookies.has(endpoint.slot)) return;
      const known = exchange.memo as StickyChoice | undefined;
      const choice = known?.slot === endpoint.slot ? known : undefined;
      if (choice !== undefined && !choice.mustRenew) return;
      const cookie = cookies.setCookieFor(endpoint.slot, connection.isTls, wallMs, choice?.sinceMs ?? wallMs);
      exchange.addResponseField('Set-Cookie', cookie);
      exchange.addResponseField('Cache-Control', 'private');
    },
  };
}

/** Removes the cookie from the request, unless another policy replaced or removed all cookies. */
function hideCookie(exchange: PolicyExchange, cookies: StickyCookies): void {
  const header = exchange.request.field('cookie');
  if (header === undefined || exchange.requestField('cookie') !== header) return;
  const others = cookies.without(header);
  if (others === '') exchange.removeRequestField('Cookie');
  else if (others !== null) exchange.setRequestField('Cookie', others);
}

function sticky({ z, token, secretText, duration }: OptionSchemas) {
  return z
    .strictObject({
      cookie: token('the name of a cookie', 'lb').describe('Name of the cookie.'),
      secret: secretText(SECRET_EXAMPLE)
        .describe(
          'Signs the cookie, so that clients cannot choose their endpoint; preferably from an environment variable. Generated at each start if absent.',
        )
        .optional(),
      secrets: z
        .array(secretText(SECRET_EXAMPLE))
        .min(1)
        .meta({
          expects: 'a list of secrets',
          isSecret: true,
          example: `["\${STICKY_SECRET}", "\${OLD_STICKY_SECRET}"]`,
        })
        .describe('Several secrets instead of `secret`, for rotation: the first signs, all verify.')
        .optional(),
      maxIdle: duration({ orNone: true })
        .prefault('30m')
        .describe('Lifetime of a cookie without requests; it is renewed after half of that.'),
      maxLife: duration({ orNone: true }).prefault('12h').describe('Lifetime of a session including renewals.'),
      sameSite: z
        .enum(['lax', 'strict', 'none'])
        .default('lax')
        .describe('Attribute SameSite: whether browsers send the cookie with cross-site requests.'),
      httpOnly: z.boolean().default(true).describe('Attribute HttpOnly: whether the cookie is hidden from scripts.'),
      passOn: z
        .boolean()
        .default(false)
        .describe('Whether the cookie is forwarded to endpoints. Only Fairlead can interpret it.'),
      secure: z
        .enum(['auto', 'always', 'never'])
        .default('auto')
        .describe('Attribute Secure: whether the cookie is limited to HTTPS; `auto` sets it on listeners with TLS.'),
    })
    .meta({ expects: 'a mapping with cookie and secret', example: '{ cookie: lb, secret: "${STICKY_SECRET}" }' })
    .describe('Signed cookie that keeps a client at its endpoint while that is usable. Disabled if absent.');
}

type StickyOptions = OptionsOf<{ sticky: ReturnType<typeof sticky> }>['sticky'];

function compileSticky(options: StickyOptions): StickySnapshot {
  return {
    cookie: options.cookie,
    secrets: options.secrets ?? [options.secret ?? PROCESS_SECRET],
    maxIdleMs: options.maxIdle,
    maxLifeMs: options.maxLife,
    sameSite: SAME_SITE[options.sameSite],
    isHttpOnly: options.httpOnly,
    isPassedOn: options.passOn,
    secure: options.secure,
  };
}
