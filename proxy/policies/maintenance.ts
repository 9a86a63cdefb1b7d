// Policies: answer 503 while a route or an upstream is in maintenance. control/maintenance.ts adds them to the routes and
// upstreams that an operator switches off; the configuration only names the testers who pass. Thread: both.

import { timingSafeEqual } from 'node:crypto';
import { compileCidrs } from '../../core/cidr.ts';
import { cookieValue } from '../../core/cookie.ts';
import type { OptionSchemas, OptionsOf } from '../../core/option-schema.ts';
import type { CausedReply, Policy, PolicyExchange } from '../../core/policy/policy.ts';
import type { CompileContext, ExplainedExchange } from '../../core/policy/policy-definition.ts';
import type { MaintenanceSwitch } from '../../core/snapshot/maintenance.ts';
import { builtIn } from './built-in.ts';

/** Clients that maintenance lets pass: those with one of the addresses, or with the secret in the field or cookie. */
interface MaintenanceBypass {
  readonly clients: readonly string[];
  /** Names; '' for none. */
  readonly header: string;
  readonly cookie: string;
  readonly secret: string;
}

/** Data of the policies in a Snapshot. */
export interface MaintenanceData {
  /** Null while it is not in maintenance. */
  readonly maintenance: Pick<MaintenanceSwitch, 'of' | 'name' | 'retryAfterS'> | null;
  readonly bypass: MaintenanceBypass | null;
}

/** On a route: refuses before anything else is looked at, so that no sign-in or rate stands before the answer. */
export const maintenance = builtIn({
  name: 'maintenance',
  scope: 'route',
  stage: 'admit',
  needs: ['reply'],
  ...parts('this route'),
});

/** On an upstream: refuses requests for which another policy, such as `split`, has chosen it. */
export const upstreamMaintenance = builtIn({
  name: 'upstream-maintenance',
  scope: 'upstream',
  stage: 'identify',
  needs: ['reply'],
  ...parts('this upstream'),
});

function parts(place: string) {
  return {
    options: (schemas: OptionSchemas) => ({ maintenanceBypass: bypassOptions(schemas, place).optional() }),
    compile: compileBypass,
    create: ({ maintenance: active, bypass }: MaintenanceData): Policy =>
      active === null ? {} : { onRequest: refusalOf(active.retryAfterS, bypass) },
    explain: effectOf,
  };
}

function bypassOptions({ z, cidr, oneOrMany, fieldName, token, secretText }: OptionSchemas, place: string) {
  return z
    .strictObject({
      client: oneOrMany(cidr())
        .describe('Addresses and address blocks of testers, seen through `trustedProxies`.')
        .optional(),
      header: fieldName().describe('Header field in which testers send `secret`.').optional(),
      cookie: token('the name of a cookie', 'tester').describe('Cookie in which testers send `secret`.').optional(),
      secret: secretText('"a long random text"').describe('Value of the field or cookie of testers.').optional(),
    })
    .meta({ expects: 'a mapping with client, header or cookie', example: '{ client: [10.0.0.0/8] }' })
    .describe(`Testers that pass while ${place} is in maintenance (\`fairlead maintenance\`).`);
}

type BypassOptions = OptionsOf<{ maintenanceBypass: ReturnType<typeof bypassOptions> }>['maintenanceBypass'];

function compileBypass(
  { maintenanceBypass: options }: { readonly maintenanceBypass?: BypassOptions | undefined },
  { report }: CompileContext,
): MaintenanceData | null {
  if (options === undefined) return null;
  const { client: clients = [], header = '', cookie = '', secret = '' } = options;
  const isNamed = header !== '' || cookie !== '';
  const refuse = (message: string): void => report({ path: ['maintenanceBypass'], part: 'key', message });
  if (isNamed && secret === '') refuse('maintenanceBypass needs the secret that testers send in the field or cookie');
  if (!isNamed && secret !== '') refuse('maintenanceBypass needs header or cookie: nobody sends the secret');
  if (!isNamed && clients.length === 0) refuse('maintenanceBypass needs client, header or cookie: nobody would pass');
  return { maintenance: null, bypass: { clients, header: header.toLowerCase(), cookie, secret } };
}

function refusalOf(retryAfterS: number, bypass: MaintenanceBypass | null): Policy['onRequest'] {
  const reply: CausedReply = { cause: 'maintenance', fields: ['Retry-After', String(retryAfterS)] };
  if (bypass === null) return () => reply;
  const passes = bypassed(bypass);
  return (exchange) => (passes(exchange) ? undefined : reply);
}

/** Whether a request is a tester's. */
function bypassed({ clients, header, cookie, secret }: MaintenanceBypass): (exchange: Requested) => boolean {
  const isTester = compileCidrs(clients);
  return ({ request, clientAddress }) =>
    isTester(clientAddress) ||
    (header !== '' && isSame(request.field(header), secret)) ||
    (cookie !== '' && isSame(cookieValue(request.field('cookie'), cookie), secret));
}

type Requested = Pick<PolicyExchange, 'request' | 'clientAddress'>;

/** In constant time: the value is what a stranger would have to guess. */
function isSame(given: string | undefined, value: string): boolean {
  if (given === undefined) return false;
  const [one, other] = [Buffer.from(given), Buffer.from(value)];
  return one.byteLength === other.byteLength && timingSafeEqual(one, other);
}

function effectOf({ maintenance: active, bypass }: MaintenanceData, exchange: ExplainedExchange): string {
  if (active === null) return 'does nothing: not in maintenance';
  const state = `${active.of} ${active.name} is in maintenance`;
  return bypass !== null && bypassed(bypass)(exchange) ? `lets a tester pass: ${state}` : `answers 503: ${state}`;
}
