// Source `dns`: all addresses of a name, or the targets of its SRV records, looked up again when their TTL is over.
// Thread: main.

import { isIP } from 'node:net';
import type { OptionProblem, ParsedOption } from '../core/option-schema.ts';
import type { TimerHandle, Timers } from '../core/timers.ts';
import type { DnsServer } from './dns/dns-query.ts';
import { DnsResolver } from './dns/dns-resolver.ts';
import { lookUp, type LookupSettings } from './dns/endpoint-lookup.ts';
import { parseResolvConf, systemFile } from './dns/resolver-settings.ts';
import { checkScheme, schemeOption } from './endpoint-parts.ts';
import { defineSource, type RunningSource, type SourceContext, type SourceEvents } from './source.ts';

const RESOLV_CONF = '/etc/resolv.conf';
const DNS_PORT = 53;
/** Intervals are shorter by up to this share, so that many names are not looked up together. */
const JITTER = 0.1;
/** Defaults of `refresh` and `minRefresh`. */
const REFRESH_MS = { refreshMs: 30_000, minRefreshMs: 1_000 };
/** Failures are retried after one second, then two, up to this. */
const LONGEST_BACKOFF_MS = 30_000;
const FIRST_BACKOFF_MS = 1_000;

export interface DnsSettings extends LookupSettings {
  /** Bounds of the time between two look-ups, in ms. */
  readonly minRefreshMs: number;
  readonly refreshMs: number;
  /** Servers to ask; empty for those of the system. */
  readonly resolvers: readonly DnsServer[];
}

export const dns = defineSource({
  name: 'dns',
  summary: 'The addresses of a DNS name, or the targets of its SRV records, looked up again when their TTL is over.',
  example: '{ name: api.internal, port: 3000 }',
  options: ({ z, duration, count, oneOrMany, text }) => ({
    name: text(parseName, { expects: 'a DNS name', example: 'api.internal' }).describe(
      'Name to look up. Names of few dots are looked up in the search domains of the system, unless they end in a dot.',
    ),
    port: count(1, 65_535).describe('Port of the endpoints; SRV records have their own.').optional(),
    type: z
      .enum(['A+AAAA', 'A', 'AAAA', 'SRV'])
      .default('A+AAAA')
      .meta({ expects: 'A+AAAA, A, AAAA or SRV', example: 'SRV' })
      .describe(
        'Records to look up. SRV records give ports and weights; targets of a lower priority than the first are backups.',
      ),
    scheme: schemeOption(z),
    refresh: duration()
      .prefault('30s')
      .describe('Longest time between two look-ups, also where the TTL of the records is longer.'),
    minRefresh: duration()
      .prefault('1s')
      .describe('Shortest time between two look-ups, also where the TTL of the records is shorter.'),
    resolvers: oneOrMany(text(parseServer, { expects: 'the address of a DNS server', example: '10.0.0.53' }))
      .describe('DNS servers, tried in this order; those of `/etc/resolv.conf` if absent.')
      .optional(),
  }),
  check({ type, port, scheme, refresh, minRefresh }, { serverName }): readonly OptionProblem[] {
    const problems: OptionProblem[] = [];
    if (type === 'SRV' && port !== undefined) {
      problems.push({
        code: 'FL3007',
        message: '"port" is not allowed with type SRV: its records have ports',
        path: ['port'],
        isKey: true,
      });
    }
    if (type !== 'SRV' && port === undefined) {
      problems.push({
        code: 'FL3008',
        message: `"port" is required with type ${type}: such records have none`,
        path: ['type'],
      });
    }
    problems.push(...checkScheme(scheme, serverName));
    if (minRefresh > refresh) {
      problems.push({ code: 'FL3008', message: '"minRefresh" is longer than "refresh"', path: ['minRefresh'] });
    }
    return problems;
  },
  compile: ({ name, port, type, scheme, refresh, minRefresh, resolvers }): DnsSettings => ({
    name,
    port: port ?? 0,
    type,
    protocol: scheme,
    refreshMs: refresh,
    minRefreshMs: minRefresh,
    resolvers: resolvers ?? [],
    weight: 1,
    backup: false,
    zone: '',
  }),
  names: (settings, timers) => [{ option: 'name', name: settings.name, resolve: () => resolveOnce(settings, timers) }],
  absence: 'no longer in the answer',
  describe: ({ name, port, type }) => (type === 'SRV' ? `${name} SRV` : `${name}:${port}`),
  start: (settings, context, events) => new DnsRefresh(settings, context, events),
});

/** Settings of a source for one name: an endpoint whose addresses are all used. */
export function settingsOfName(
  name: string,
  parts: Pick<DnsSettings, 'port' | 'protocol' | 'weight' | 'backup' | 'zone'>,
): DnsSettings {
  return { name, type: 'A+AAAA', ...REFRESH_MS, resolvers: [], ...parts };
}

/** Looks the endpoints up once. Yields '', or the cause of the failure. */
export async function resolveOnce(settings: DnsSettings, timers: Timers): Promise<string> {
  const found = await lookUp(settings, resolverFor(settings, timers));
  return found.ok ? '' : found.cause;
}

/** The servers of the settings, or those of the system by now. */
function resolverFor({ resolvers }: DnsSettings, timers: Timers): DnsResolver {
  const system = parseResolvConf(systemFile(RESOLV_CONF));
  return new DnsResolver({ ...system, servers: resolvers.length === 0 ? system.servers : resolvers }, timers);
}

/** Looks a name up, again and again. */
class DnsRefresh implements RunningSource {
  readonly #settings: DnsSettings;
  readonly #context: SourceContext;
  readonly #events: SourceEvents;
  #resolver: DnsResolver | null = null;
  #timer: TimerHandle | null = null;
  #failures = 0;
  #isStopped = false;

  constructor(settings: DnsSettings, context: SourceContext, events: SourceEvents) {
    this.#settings = settings;
    this.#context = context;
    this.#events = events;
    void this.#refresh();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#resolver?.stop();
  }

  async #refresh(): Promise<void> {
    const { timers } = this.#context;
    this.#resolver = resolverFor(this.#settings, timers);
    const found = await lookUp(this.#settings, this.#resolver);
    if (this.#isStopped) return;
    if (found.ok) {
      this.#failures = 0;
      this.#events.publish({ version: versionOf(found.ttlMs), endpoints: found.endpoints });
    } else {
      this.#failures++;
      this.#events.fail(found.cause);
    }
    const delayMs = found.ok ? this.#intervalMs(found.ttlMs) : this.#backoffMs();
    const jitterMs = delayMs * JITTER * this.#context.random.next();
    this.#timer = timers.after(delayMs - jitterMs, () => void this.#refresh());
  }

  #intervalMs(ttlMs: number): number {
    const { minRefreshMs, refreshMs } = this.#settings;
    return Math.max(minRefreshMs, Math.min(refreshMs, ttlMs));
  }

  #backoffMs(): number {
    const { refreshMs } = this.#settings;
    return Math.min(FIRST_BACKOFF_MS * 2 ** (this.#failures - 1), LONGEST_BACKOFF_MS, refreshMs);
  }
}

function versionOf(ttlMs: number): string {
  return `TTL ${Math.round(ttlMs / 1000)} s`;
}

/** Labels may begin with an underscore, as those of SRV records do. */
function parseName(text: string): ParsedOption<string> {
  const isName = /^(?=.{1,253}\.?$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*\.?$/i.test(text);
  if (isName && isIP(text) === 0) return { ok: true, value: text.toLowerCase() };
  return { ok: false, message: `${JSON.stringify(text)} is not a DNS name such as api.internal` };
}

function parseServer(text: string): ParsedOption<DnsServer> {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  const host = isIP(text) === 0 ? (match?.[1] ?? match?.[2] ?? '') : text;
  const port = isIP(text) === 0 && match?.[3] !== undefined ? Number(match[3]) : DNS_PORT;
  if (isIP(host) !== 0 && port >= 1 && port <= 65_535) return { ok: true, value: { host, port } };
  return {
    ok: false,
    message: `${JSON.stringify(text)} is not the address of a DNS server, such as 10.0.0.53 or [2001:db8::53]:5353`,
  };
}
