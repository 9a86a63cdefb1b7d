// Names for automatic certificates: hosts of routes, public names, and the challenge that suits the listeners. Thread: main.

import type { AcmeSnapshot } from '../../core/snapshot/certificates.ts';
import type { AcmeConfig } from '../schema/schema-acme.ts';
import type { ListenerConfig } from '../schema/schema-listeners.ts';
import type { RouteConfig } from '../schema/schema-routes.ts';

/** HTTP-01 needs a listener that serves plain HTTP; TLS-ALPN-01 only the one that has the certificates. */
export function defaultChallenge(listeners: readonly (ListenerConfig | null)[]): AcmeSnapshot['challenge'] {
  return listeners.some((one) => one !== null && one.tls === undefined && one.mode !== 'tcp')
    ? 'http-01'
    : 'tls-alpn-01';
}

/** Exact hosts of the routes that a listener serves, apart from those that the CA doesn't certify by the challenge. */
export function hostsOfRoutes(
  routes: readonly (RouteConfig | null)[],
  listener: string,
  acme: Pick<AcmeConfig, 'ca' | 'challenge'>,
): string[] {
  return hostsOf(routes, listener).filter(
    (host) => (!host.startsWith('*.') || takesWildcards(acme)) && isCertifiable(host, acme),
  );
}

/** Exact hosts of the routes that a listener serves. */
export function exactHosts(routes: readonly (RouteConfig | null)[], listener: string): string[] {
  return hostsOf(routes, listener).filter((host) => !host.startsWith('*.'));
}

function hostsOf(routes: readonly (RouteConfig | null)[], listener: string): string[] {
  const hosts = routes.flatMap((route) => {
    const match = route?.match;
    const names = match?.host ?? match?.serverName;
    if (names === undefined) return [];
    return match?.listener === undefined || match.listener.includes(listener) ? names : [];
  });
  return [...new Set(hosts)];
}

/** CAs validate wildcards by dns-01 only. */
export function takesWildcards({ challenge }: Pick<AcmeConfig, 'challenge'>): boolean {
  return typeof challenge === 'object';
}

/** Names that exist on one machine or in one network only (RFC 6761, RFC 6762, RFC 8375, RFC 9476). */
const INTERNAL_NAME = /(^|\.)(localhost|local|internal|invalid|home\.arpa|alt|onion|lan)$/;

/** Whether the CA can certify a name: any host name where it is a private one, otherwise one that isn't for internal use. */
export function isCertifiable(name: string, { ca }: Pick<AcmeConfig, 'ca'>): boolean {
  if (ca !== undefined) return name !== 'localhost' && !name.includes(':') && !/^[\d.]+$/.test(name);
  return name.includes('.') && !name.includes(':') && !/^[\d.]+$/.test(name) && !INTERNAL_NAME.test(name);
}
