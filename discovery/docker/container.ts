// Containers in the replies of the Docker API (Docker and Podman), and the endpoints that they stand for. Replies are
// checked in full: a malformed one is a failure, never an exception. Thread: main.

import { isHost } from '../../net/host-name.ts';
import type { Scheme } from '../endpoint-parts.ts';
import { parseJson } from '../http/http-client.ts';
import type { DiscoveredEndpoint } from '../source.ts';

/** More containers on one engine are a mistake. */
const MOST_CONTAINERS = 65_536;
/** Compose names the service of a container in this label, and its project in the next one. */
export const COMPOSE_SERVICE = 'com.docker.compose.service';
export const COMPOSE_PROJECT = 'com.docker.compose.project';
const SHORT_ID = 12;

type JsonRecord = Readonly<Record<string, unknown>>;

/** Containers to take as endpoints, and how to reach them. */
export interface ContainerSelection {
  /** Value of the label `fairlead.upstream`. */
  readonly upstream: string;
  /** Compose service whose containers need no label; '' for none. */
  readonly service: string;
  /** Compose project of the service; '' for all. */
  readonly project: string;
  /** Network whose address is used; '' for the only one. */
  readonly network: string;
  /** Port inside of the container; 0 for the only one that it exposes. */
  readonly port: number;
  /** Whether the port that is published on the engine's host is used, in place of the container's address. */
  readonly isPublished: boolean;
  /** Host of the engine, for published ports and containers in the host's network. */
  readonly engineHost: string;
  readonly scheme: Scheme;
}

export type ListOutcome =
  | { readonly ok: true; readonly ids: readonly string[] }
  | { readonly ok: false; readonly cause: string };

/** Ids of the running containers that are selected, from the reply to `GET /containers/json`. */
export function selectedContainers(text: string, selection: ContainerSelection): ListOutcome {
  const reply = parseJson(text);
  if (!Array.isArray(reply) || reply.length > MOST_CONTAINERS) {
    return { ok: false, cause: 'the list of containers is malformed' };
  }
  const ids: string[] = [];
  for (const entry of reply as readonly unknown[]) {
    const { Id: id, Labels: labels } = recordOf(entry);
    if (typeof id !== 'string' || !/^[0-9a-f]{12,64}$/.test(id)) {
      return { ok: false, cause: 'the list of containers is malformed: an entry has no id' };
    }
    if (isSelected(recordOf(labels), selection)) ids.push(id);
  }
  return { ok: true, ids };
}

/** `fairlead.upstream`, or else with `fairlead.enable` the Compose service, names the upstream. */
function isSelected(labels: JsonRecord, { upstream, service, project }: ContainerSelection): boolean {
  if (labels['fairlead.enable'] === 'false') return false;
  const named = labels['fairlead.upstream'];
  if (named !== undefined) return named === upstream;
  const composed = labels[COMPOSE_SERVICE];
  const isInProject = project === '' || labels[COMPOSE_PROJECT] === project;
  if (service !== '' && composed === service && isInProject) return true;
  return labels['fairlead.enable'] === 'true' && composed === upstream;
}

/** State of a container as health check and engine have it. */
type ContainerState = 'healthy' | 'starting' | 'unhealthy' | 'stopped';

export interface Container {
  readonly id: string;
  readonly state: ContainerState;
  /** Name without SIG, or number; '' for TERM. */
  readonly stopSignal: string;
  /** Its endpoint, or what is wrong with it. */
  readonly endpoint: DiscoveredEndpoint | string;
}

/** Reads the reply to `GET /containers/ID/json`; null where it is malformed. */
export function parseContainer(text: string, selection: ContainerSelection): Container | null {
  const reply = recordOf(parseJson(text));
  const { Id: id } = reply;
  if (typeof id !== 'string') return null;
  const config = recordOf(reply['Config']);
  const labels = recordOf(config['Labels']);
  const name = textOf(reply['Name']).replace(/^\//, '') || id.slice(0, SHORT_ID);
  const endpoint = endpointOf(reply, labels, selection, name);
  return {
    id,
    state: stateOf(recordOf(reply['State'])),
    stopSignal: textOf(config['StopSignal']).replace(/^SIG/, ''),
    endpoint: typeof endpoint === 'string' ? `container ${name} ${endpoint}` : endpoint,
  };
}

/** A container without a health check is healthy. */
function stateOf(state: JsonRecord): ContainerState {
  if (state['Running'] !== true || state['Paused'] === true || state['Restarting'] === true) return 'stopped';
  const health = recordOf(state['Health'])['Status'];
  return health === 'unhealthy' || health === 'starting' ? health : 'healthy';
}

interface Place {
  readonly host: string;
  readonly port: number;
}

function endpointOf(
  reply: JsonRecord,
  labels: JsonRecord,
  selection: ContainerSelection,
  name: string,
): DiscoveredEndpoint | string {
  const port = portOf(recordOf(recordOf(reply['Config'])['ExposedPorts']), labels, selection);
  if (typeof port === 'string') return port;
  const place = selection.isPublished ? publishedAt(reply, port, selection) : addressOf(reply, labels, port, selection);
  if (typeof place === 'string') return place;
  const weight = numberOf(labels['fairlead.weight'] ?? '1', 256);
  if (weight === null) return 'has a label fairlead.weight that is no number from 1 to 256';
  return {
    protocol: selection.scheme,
    ...place,
    socketPath: '',
    weight,
    backup: labels['fairlead.backup'] === 'true',
    zone: textOf(labels['fairlead.zone']),
    metadata: { container: name, image: textOf(recordOf(reply['Config'])['Image']) },
  };
}

function portOf(exposed: JsonRecord, labels: JsonRecord, { port }: ContainerSelection): number | string {
  const label = labels['fairlead.port'];
  if (label !== undefined) {
    return numberOf(label, 65_535) ?? 'has a label fairlead.port that is no number from 1 to 65535';
  }
  if (port !== 0) return port;
  const ports = Object.keys(exposed).filter((name) => name.endsWith('/tcp'));
  const only = ports.length === 1 ? numberOf(ports[0]!.slice(0, -4), 65_535) : null;
  return only ?? `exposes ${ports.length} ports: set the label fairlead.port, or "port"`;
}

/** Its address in the chosen network; the engine's in the host's network. */
function addressOf(reply: JsonRecord, labels: JsonRecord, port: number, selection: ContainerSelection): Place | string {
  if (recordOf(reply['HostConfig'])['NetworkMode'] === 'host') return { host: selection.engineHost, port };
  const networks = recordOf(recordOf(reply['NetworkSettings'])['Networks']);
  const wanted = textOf(labels['fairlead.network']) || selection.network;
  const names = Object.keys(networks);
  const known = names.join(', ') || 'none';
  const project = textOf(labels[COMPOSE_PROJECT]);
  // Compose puts the project before the names of networks.
  const chosen = wanted === '' ? names : names.filter((name) => name === wanted || name === `${project}_${wanted}`);
  if (wanted !== '' && chosen.length === 0) return `is not in network ${wanted}; its networks: ${known}`;
  if (chosen.length > 1) return `is in several networks (${known}): set the label fairlead.network, or "network"`;
  const network = recordOf(networks[chosen[0] ?? '']);
  const host = textOf(network['IPAddress']) || textOf(network['GlobalIPv6Address']);
  return isHost(host) ? { host, port } : `has no address in its networks (${known})`;
}

function publishedAt(reply: JsonRecord, port: number, { engineHost }: ContainerSelection): Place | string {
  const ports = recordOf(recordOf(reply['NetworkSettings'])['Ports'])[`${port}/tcp`];
  const bindings = Array.isArray(ports) ? (ports as readonly unknown[]).map(recordOf) : [];
  for (const { HostIp: ip, HostPort: published } of bindings) {
    const host = numberOf(published, 65_535);
    if (host === null) continue;
    const isAny = ip === '' || ip === '0.0.0.0' || ip === '::';
    return { host: isAny || typeof ip !== 'string' || !isHost(ip) ? engineHost : ip, port: host };
  }
  return `doesn't publish port ${port}`;
}

function recordOf(value: unknown): JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonRecord) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' && value.length <= 256 ? value : '';
}

/** A number in digits from 1 to `most`; null where it is none. */
function numberOf(value: unknown, most: number): number | null {
  const number = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : 0;
  return number >= 1 && number <= most ? number : null;
}
