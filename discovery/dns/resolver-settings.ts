// The system's resolver settings: servers and search domains of /etc/resolv.conf, names of /etc/hosts. Both are read again
// where they are used, because they change while the process runs. Thread: main.

import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { DnsServer } from './dns-query.ts';

/** Limits of resolv.conf(5), but for more search domains, which Kubernetes writes. */
const MOST_SERVERS = 3;
const MOST_DOMAINS = 32;
const DNS_PORT = 53;

export interface ResolverSettings {
  readonly servers: readonly DnsServer[];
  readonly search: readonly string[];
  /** Names with so many dots are tried as they are before the search domains. */
  readonly ndots: number;
}

/** Reads resolv.conf(5). Without a server it is the local one, as in the C library. */
export function parseResolvConf(text: string): ResolverSettings {
  const servers: DnsServer[] = [];
  let search: string[] = [];
  let ndots = 1;
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line.trim().split(/\s+/);
    // An address may have a zone: fe80::1%eth0.
    if (keyword === 'nameserver' && isIP(values[0]?.split('%')[0] ?? '') !== 0) {
      servers.push({ host: values[0]!, port: DNS_PORT });
    } else if (keyword === 'search' || keyword === 'domain')
      search = values.map((name) => name.replace(/\.$/, '').toLowerCase());
    else if (keyword === 'options') ndots = ndotsIn(values) ?? ndots;
  }
  const known = servers.length === 0 ? [{ host: '127.0.0.1', port: DNS_PORT }] : servers.slice(0, MOST_SERVERS);
  return { servers: known, search: search.filter((name) => name !== '').slice(0, MOST_DOMAINS), ndots };
}

function ndotsIn(options: readonly string[]): number | undefined {
  const written = options.map((option) => /^ndots:(\d+)$/.exec(option)?.[1]).find((value) => value !== undefined);
  return written === undefined ? undefined : Math.min(15, Number(written));
}

/** Addresses of a name in hosts(5), in the order of the file. */
export function addressesInHosts(text: string, name: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*$/, '').trim().split(/\s+/);
    return isIP(address) !== 0 && names.some((one) => one.toLowerCase() === name) ? [address] : [];
  });
}

/**
 * Names to try in order, as in the C library: a name with a final dot as it is; one with `ndots` dots first as it is, then
 * in each search domain; others in the opposite order.
 */
export function candidatesOf(name: string, { search, ndots }: ResolverSettings): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const searched = search.map((domain) => `${name}.${domain}`);
  const dots = name.split('.').length - 1;
  return dots >= ndots ? [name, ...searched] : [...searched, name];
}

/** Text of a file of the system; '' where it can't be read. */
export function systemFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
