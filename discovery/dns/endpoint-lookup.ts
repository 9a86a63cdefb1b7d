// Looks the endpoints of a name up: a complete set with its TTL, or the reason why there is none. Thread: main.

import { isIPv4 } from 'node:net';
import { scaleWeight } from '../endpoint-parts.ts';
import type { DiscoveredEndpoint } from '../source.ts';
import type { DnsRecord } from './dns-message.ts';
import type { DnsResolver, RecordsOf } from './dns-resolver.ts';
import { addressesInHosts, systemFile } from './resolver-settings.ts';

const HOSTS = '/etc/hosts';
/** Targets of SRV records that are looked up at a time. */
const AT_A_TIME = 16;

export interface LookupSettings {
  readonly name: string;
  /** 0 for SRV records, which have ports. */
  readonly port: number;
  readonly type: 'A+AAAA' | 'A' | 'AAAA' | 'SRV';
  readonly protocol: 'http' | 'https' | 'tcp' | 'tls';
  /** Of every endpoint but those of SRV records, which have weights. */
  readonly weight: number;
  readonly backup: boolean;
  readonly zone: string;
}

export type LookupOutcome =
  | { readonly ok: true; readonly endpoints: readonly DiscoveredEndpoint[]; readonly ttlMs: number }
  | { readonly ok: false; readonly cause: string };

type Resolver = Pick<DnsResolver, 'resolve'>;
type Addresses =
  | { readonly ok: true; readonly addresses: readonly string[]; readonly ttlMs: number }
  | { readonly ok: false; readonly cause: string };

/** @param hosts text of hosts(5) */
export async function lookUp(
  settings: LookupSettings,
  resolver: Resolver,
  hosts: string = systemFile(HOSTS),
): Promise<LookupOutcome> {
  if (settings.type === 'SRV') return lookUpServices(settings, resolver, hosts);
  const found = await addressesOf(settings.name, settings.type, resolver, hosts);
  if (!found.ok) return found;
  const { protocol, port, weight, backup, zone } = settings;
  const parts = { protocol, port, socketPath: '', weight, backup, zone, metadata: { name: settings.name } };
  return { ok: true, endpoints: found.addresses.map((host) => ({ ...parts, host })), ttlMs: found.ttlMs };
}

/** All addresses of a name, of both families. One family that fails is a failure: half of a set is never a set. */
async function addressesOf(
  name: string,
  type: 'A+AAAA' | 'A' | 'AAAA',
  resolver: Resolver,
  hosts: string,
): Promise<Addresses> {
  const known = addressesInHosts(hosts, name.replace(/\.$/, '')).filter((address) => isOfType(address, type));
  if (known.length > 0) return { ok: true, addresses: known, ttlMs: Infinity };
  const families = type === 'A+AAAA' ? (['A', 'AAAA'] as const) : [type];
  const answers = await Promise.all(families.map((family) => resolver.resolve(name, family)));
  for (const answer of answers) if (!answer.ok) return answer;
  const found = answers.filter((answer) => answer.ok);
  const addresses = found.flatMap(({ records }) => records.map(({ address }) => address));
  if (addresses.length === 0) {
    const isUnknown = found.every(({ negative }) => negative === 'no-name');
    return { ok: false, cause: isUnknown ? `${name} doesn't exist (NXDOMAIN)` : `${name} has no address` };
  }
  // The family that a name lacks may appear: its negative TTL counts too, where there is one.
  const ttls = found.filter(({ ttlS }) => ttlS > 0).map(({ ttlS }) => ttlS);
  return { ok: true, addresses, ttlMs: 1000 * Math.min(...(ttls.length === 0 ? [0] : ttls)) };
}

function isOfType(address: string, type: 'A+AAAA' | 'A' | 'AAAA'): boolean {
  return type === 'A+AAAA' || isIPv4(address) === (type === 'A');
}

/** RFC 2782: the targets of the lowest priority are primaries, the others backups. */
async function lookUpServices(settings: LookupSettings, resolver: Resolver, hosts: string): Promise<LookupOutcome> {
  const { name, protocol, zone } = settings;
  const found = await resolver.resolve(name, 'SRV');
  if (!found.ok) return found;
  const { records, additional } = found;
  if (records.length === 0) {
    return {
      ok: false,
      cause: found.negative === 'no-name' ? `${name} doesn't exist (NXDOMAIN)` : `${name} has no SRV record`,
    };
  }
  // A target of "." says that the service isn't available (RFC 2782).
  if (records.every(({ target }) => target === '')) return { ok: false, cause: `${name} has no service (target ".")` };
  const usable = records.filter(({ target }) => target !== '');
  const targets = await targetsOf(usable, additional, resolver, hosts);
  if (!targets.ok) return targets;
  const least = Math.min(...usable.map(({ priority }) => priority));
  const heaviest = Math.max(...usable.map(({ weight }) => weight));
  const endpoints = usable.flatMap(({ target, port, priority, weight }) =>
    targets.addresses.get(target)!.map((host) => ({
      protocol,
      host,
      port,
      socketPath: '',
      // RFC 2782: zero means hardly any requests.
      weight: scaleWeight(weight, heaviest),
      backup: priority > least,
      zone,
      metadata: { name, target },
    })),
  );
  return {
    ok: true,
    endpoints: endpoints.filter(({ port }) => port > 0),
    ttlMs: Math.min(found.ttlS * 1000, targets.ttlMs),
  };
}

type Targets =
  | { readonly ok: true; readonly addresses: ReadonlyMap<string, readonly string[]>; readonly ttlMs: number }
  | { readonly ok: false; readonly cause: string };

/** Addresses of all targets: those that came with the answer, and look-ups for the others. */
async function targetsOf(
  records: readonly RecordsOf<'SRV'>[],
  additional: readonly DnsRecord[],
  resolver: Resolver,
  hosts: string,
): Promise<Targets> {
  const addresses = new Map<string, readonly string[]>();
  let ttlMs = Infinity;
  const given = additional.flatMap((record) => (record.type === 'A' || record.type === 'AAAA' ? [record] : []));
  const byName = Map.groupBy(given, (record) => record.name);
  const names = [...new Set(records.map(({ target }) => target))];
  for (const name of names) {
    const known = byName.get(name);
    if (known === undefined) continue;
    addresses.set(
      name,
      known.map(({ address }) => address),
    );
    ttlMs = known.reduce((least, { ttlS }) => Math.min(least, ttlS * 1000), ttlMs);
  }
  const missing = names.filter((name) => !addresses.has(name));
  for (let at = 0; at < missing.length; at += AT_A_TIME) {
    const batch = missing.slice(at, at + AT_A_TIME);
    // A target is a complete name: no search domains.
    const found = await Promise.all(batch.map((name) => addressesOf(`${name}.`, 'A+AAAA', resolver, hosts)));
    for (const [index, one] of found.entries()) {
      if (!one.ok) return one;
      addresses.set(batch[index]!, one.addresses);
      ttlMs = Math.min(ttlMs, one.ttlMs);
    }
  }
  return { ok: true, addresses, ttlMs };
}
