// Settings with which Fairlead registers itself as a service of Consul. Thread: main.

import { type OptionProblem, type OptionSchemas, quoted, type ParsedOption } from '../../core/option-schema.ts';
import {
  accessOptions,
  checkAccess,
  compileAccess,
  type HttpAddress,
  type HttpTls,
  type HttpToken,
  parseHttpAddress,
} from '../http/http-settings.ts';

const CONSUL_PORT = 8500;
const DEFAULT_TTL_MS = 15_000;
/** Reports are due three times in this period, and take a moment each. */
const LEAST_TTL_MS = 3_000;
/** Consul removes no service sooner. */
const LEAST_REMOVAL_MS = 60_000;

export interface RegistrationSettings {
  readonly address: HttpAddress;
  readonly tls: HttpTls;
  readonly token: HttpToken;
  readonly service: string;
  /** '' for one made of the service, the host and the port. */
  readonly id: string;
  /** '' for the host that the listener is bound to, or else the agent's own. */
  readonly advertise: string;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  /** Period within which Fairlead reports its health. */
  readonly ttlMs: number;
  /** URL that the agent checks instead; '' for none. */
  readonly httpCheck: string;
  readonly intervalMs: number;
  /** Time in a critical state after which Consul removes the service; 0 for never. */
  readonly removeAfterMs: number;
}

export function registrationOptions(schemas: OptionSchemas) {
  const { z, duration, oneOrMany, text, host } = schemas;
  const label = (expects: string, example: string) => text(parseLabel, { expects, example });
  return {
    address: text((given) => parseHttpAddress(given, CONSUL_PORT), {
      expects: 'the URL of a Consul agent',
      example: 'http://127.0.0.1:8500',
    })
      .prefault('http://127.0.0.1:8500')
      .describe('Consul agent of this machine: `http://`, `https://` or `unix:`.'),
    service: label('the name of a service', 'fairlead').prefault('fairlead').describe('Name of the service.'),
    id: label('an id', 'fairlead-edge-1')
      .describe('Id of this instance, unique at the agent. If absent, `SERVICE-HOST-PORT`, the same after a restart.')
      .optional(),
    listener: schemas
      .name()
      .describe('Listener whose port is registered; the first one on a TCP port if absent.')
      .optional(),
    advertise: host()
      .describe(
        "Address that is registered. If absent, the one that the listener is bound to, or else the agent's own.",
      )
      .optional(),
    tags: oneOrMany(label('a tag', 'edge')).describe('Tags of the instance.').optional(),
    meta: z
      .record(
        label('a key', 'version'),
        z.string().max(512).meta({ expects: 'text', example: 'v7' }).describe('Value.'),
      )
      .meta({ expects: 'a mapping of keys to texts', example: '{ zone: eu-1a }' })
      .describe('Metadata of the instance.')
      .optional(),
    ttl: duration()
      .describe(
        'Period of a TTL check, 15s if absent: Fairlead reports its readiness three times in it. After a period without a report Consul counts the instance as critical.',
      )
      .optional(),
    httpCheck: text(parseCheckUrl, { expects: 'an http:// or https:// URL', example: 'http://10.0.0.5:9900/readyz' })
      .describe('In place of `ttl`: a URL that the agent requests, such as `/readyz` of the admin API.')
      .optional(),
    interval: duration().prefault('5s').describe('Time between two requests for `httpCheck`.'),
    removeAfter: duration({ orNone: true })
      .prefault('10m')
      .describe('Time after which Consul removes an instance that stays critical, at least 1m: its process has died.'),
    ...accessOptions(schemas),
  };
}

interface RegistrationOptions {
  readonly address: HttpAddress;
  readonly service: string;
  readonly id?: string | undefined;
  readonly advertise?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly meta?: Readonly<Record<string, string>> | undefined;
  readonly ttl?: number | undefined;
  readonly httpCheck?: string | undefined;
  readonly interval: number;
  readonly removeAfter: number;
  readonly tls?: Parameters<typeof checkAccess>[0]['tls'];
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
}

export function checkRegistration(options: RegistrationOptions): readonly OptionProblem[] {
  const { address, ttl, httpCheck, removeAfter } = options;
  const problems: OptionProblem[] = [...checkAccess(options, [address])];
  if (ttl !== undefined && httpCheck !== undefined) {
    const message = '"ttl" is not allowed with httpCheck: an instance has one of the two checks';
    problems.push({ code: 'FL3007', message, path: ['ttl'], isKey: true });
  }
  if (ttl !== undefined && ttl < LEAST_TTL_MS) {
    const message = '"ttl" is shorter than 3s: a report may take a second';
    problems.push({ code: 'FL3008', message, path: ['ttl'] });
  }
  if (removeAfter > 0 && removeAfter < LEAST_REMOVAL_MS) {
    const message = '"removeAfter" is shorter than 1m, after which Consul removes at the earliest';
    problems.push({ code: 'FL3008', message, path: ['removeAfter'] });
  }
  return problems;
}

/** @param directory that relative paths refer to */
export function compileRegistration(options: RegistrationOptions, directory: string): RegistrationSettings {
  const { address, service, ttl, interval, removeAfter } = options;
  return {
    address,
    ...compileAccess(options, directory),
    service,
    id: options.id ?? '',
    advertise: options.advertise ?? '',
    tags: options.tags ?? [],
    meta: options.meta ?? {},
    ttlMs: ttl ?? DEFAULT_TTL_MS,
    httpCheck: options.httpCheck ?? '',
    intervalMs: interval,
    removeAfterMs: removeAfter,
  };
}

function parseLabel(text: string): ParsedOption<string> {
  if (/^[^\s/\p{Cc}]{1,128}$/u.test(text)) return { ok: true, value: text };
  const message = `${quoted(text)} is not a name: 1 to 128 characters without spaces and slashes are allowed`;
  return { ok: false, message };
}

function parseCheckUrl(text: string): ParsedOption<string> {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return { ok: true, value: text };
  return { ok: false, message: `${quoted(text)} is not a URL to check: write http://HOST:PORT/readyz` };
}
