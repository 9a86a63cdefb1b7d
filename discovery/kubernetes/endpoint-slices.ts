// Endpoints of a service from its EndpointSlices (discovery.k8s.io/v1): ready ones, or those that still serve while they
// terminate where none is ready. Thread: main.

import { isIP } from 'node:net';
import type { DiscoveredEndpoint } from '../source.ts';
import { type ApiObject, isObject, listAt, numberAt, textAt, valueAt } from './api-object.ts';

/** Label that names the service of a slice. */
export const SERVICE_LABEL = 'kubernetes.io/service-name';

export type Family = 'IPv4' | 'IPv6';

export interface SliceView {
  readonly protocol: DiscoveredEndpoint['protocol'];
  /** Name of the port in the slices; null for the only one. */
  readonly port: string | null;
  /** Of the pods that have addresses of both families. */
  readonly family: Family;
  /** Zone whose hints are followed: endpoints for other zones are backups. '' for none. */
  readonly hintedZone: string;
}

type Found =
  | { readonly ok: true; readonly endpoints: readonly DiscoveredEndpoint[] }
  | { readonly ok: false; readonly cause: string };

interface Candidate {
  readonly endpoint: ApiObject;
  readonly host: string;
  readonly port: number;
  readonly family: string;
}

/** All slices of one service together. */
export function endpointsOfSlices(slices: Iterable<ApiObject>, view: SliceView): Found {
  const candidates: Candidate[] = [];
  const names = new Set<string>();
  for (const slice of slices) {
    const ports = listAt(slice, 'ports').filter((port) => (textAt(port, 'protocol') || 'TCP') === 'TCP');
    for (const port of ports) names.add(textAt(port, 'name'));
    for (const port of ports) {
      if (view.port === null || textAt(port, 'name') === view.port) candidates.push(...candidatesOf(slice, port));
    }
  }
  if (view.port === null && names.size > 1) {
    const listed = [...names].toSorted().join(', ');
    return { ok: false, cause: `the service has several ports (${listed}): set "port" to one of them` };
  }
  if (view.port !== null && names.size > 0 && !names.has(view.port)) {
    const listed = [...names].map((name) => name || 'one without a name').toSorted();
    return { ok: false, cause: `the service has no port "${view.port}", but ${listed.join(', ')}` };
  }
  const usable = serving(onePerPod(candidates, view.family));
  return { ok: true, endpoints: usable.map((one) => discovered(one, view, areHinted(usable, view.hintedZone))) };
}

function candidatesOf(slice: ApiObject, port: unknown): Candidate[] {
  const number = numberAt(port, 'port');
  if (number === null || number < 1 || number > 65_535) return [];
  const family = textAt(slice, 'addressType');
  return listAt(slice, 'endpoints').flatMap((endpoint): Candidate[] => {
    // Consumers use the first address: several of one endpoint are interchangeable.
    const [host] = listAt(endpoint, 'addresses');
    if (!isObject(endpoint) || typeof host !== 'string') return [];
    const isAddress = family === 'FQDN' ? /^[a-z0-9.-]{1,253}$/i.test(host) : isIP(host) !== 0;
    return isAddress ? [{ endpoint, host: host.toLowerCase(), port: number, family }] : [];
  });
}

/**
 * A dual-stack service has slices of both families with the same pods: each counts once. Slices may overlap for a moment
 * while the controller moves endpoints from one to another; the newest condition isn't known then, and ready has
 * precedence.
 */
function onePerPod(candidates: readonly Candidate[], family: Family): readonly Candidate[] {
  const byPod = new Map<string, Candidate>();
  for (const one of candidates) {
    const pod = textAt(one.endpoint, 'targetRef', 'uid') || textAt(one.endpoint, 'targetRef', 'name') || one.host;
    const key = `${pod}:${one.port}`;
    const before = byPod.get(key);
    if (before === undefined || isBetter(one, before, family)) byPod.set(key, one);
  }
  return [...byPod.values()];
}

function isBetter(one: Candidate, before: Candidate, family: Family): boolean {
  if (one.family !== before.family) return one.family === family;
  return isReady(one) && !isReady(before);
}

/** Ready ones; where there are none, those that serve until they have terminated (KEP-1669). */
function serving(candidates: readonly Candidate[]): readonly Candidate[] {
  const ready = candidates.filter(isReady);
  if (ready.length > 0) return ready;
  return candidates.filter(({ endpoint }) => {
    return (
      valueAt(endpoint, 'conditions', 'terminating') === true && valueAt(endpoint, 'conditions', 'serving') === true
    );
  });
}

/** An absent condition means ready. */
function isReady({ endpoint }: Candidate): boolean {
  return valueAt(endpoint, 'conditions', 'ready') !== false;
}

/** Hints count only where every endpoint has some, and one of them is for the zone (as kube-proxy does). */
function areHinted(candidates: readonly Candidate[], zone: string): boolean {
  if (zone === '') return false;
  const hints = candidates.map(zonesOf);
  return hints.every(({ length }) => length > 0) && hints.some((zones) => zones.includes(zone));
}

function zonesOf({ endpoint }: Candidate): readonly string[] {
  return listAt(endpoint, 'hints', 'forZones').map((zone) => textAt(zone, 'name'));
}

function discovered(one: Candidate, view: SliceView, isHinted: boolean): DiscoveredEndpoint {
  const { endpoint, host, port } = one;
  return {
    protocol: view.protocol,
    host,
    port,
    socketPath: '',
    weight: 1,
    backup: isHinted && !zonesOf(one).includes(view.hintedZone),
    zone: textAt(endpoint, 'zone'),
    metadata: labelsOf(endpoint),
  };
}

function labelsOf(endpoint: ApiObject): Readonly<Record<string, string>> {
  const labels = {
    pod: textAt(endpoint, 'targetRef', 'kind') === 'Pod' ? textAt(endpoint, 'targetRef', 'name') : '',
    hostname: textAt(endpoint, 'hostname'),
    node: textAt(endpoint, 'nodeName'),
  };
  return Object.fromEntries(Object.entries(labels).filter(([, text]) => text !== ''));
}
