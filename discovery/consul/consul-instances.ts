// Instances of a service in the reply of Consul's health API, and the endpoints that they stand for. Replies are checked
// in full: a malformed one is a failure, never an exception. Thread: main.

import { isHost } from '../../net/host-name.ts';
import { type Scheme, scaleWeight } from '../endpoint-parts.ts';
import { parseJson } from '../http/http-client.ts';
import type { DiscoveredEndpoint } from '../source.ts';

/** More instances of one service are a mistake. */
const MOST_INSTANCES = 65_536;
/** Labels of one endpoint, and the characters of each: they are shown, not used. */
const MOST_LABELS = 64;
const MOST_LABEL_CHARACTERS = 128;
const MOST_WEIGHT = 65_535;

/** The worst of the checks of an instance and of its node. Maintenance is an operator's word, and excludes it. */
type CheckState = 'passing' | 'warning' | 'critical' | 'maintenance';

interface Instance {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly state: CheckState;
  /** Weights of the service while its checks pass, and while one warns. */
  readonly weights: { readonly passing: number; readonly warning: number };
  readonly backup: boolean;
  readonly zone: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export type InstancesOutcome =
  | { readonly ok: true; readonly instances: readonly Instance[] }
  | { readonly ok: false; readonly cause: string };

export type EndpointsOutcome =
  | { readonly ok: true; readonly endpoints: readonly DiscoveredEndpoint[] }
  | { readonly ok: false; readonly cause: string };

/** Reads the reply to `GET /v1/health/service/NAME`. @param taggedAddress key in the service's addresses; '' for none */
export function parseInstances(text: string, taggedAddress = ''): InstancesOutcome {
  const reply = parseJson(text);
  if (!Array.isArray(reply)) return malformed('it is no list');
  if (reply.length > MOST_INSTANCES) return malformed(`it has more than ${MOST_INSTANCES} instances`);
  const instances: Instance[] = [];
  for (const [at, entry] of (reply as readonly unknown[]).entries()) {
    const instance = parseInstance(recordOf(entry), taggedAddress);
    if (typeof instance === 'string') return malformed(`instance ${at + 1} ${instance}`);
    instances.push(instance);
  }
  return { ok: true, instances };
}

function malformed(reason: string): { readonly ok: false; readonly cause: string } {
  return { ok: false, cause: `the list of instances is malformed: ${reason}` };
}

type JsonRecord = Readonly<Record<string, unknown>>;

function recordOf(value: unknown): JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonRecord) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** @returns what is wrong with the entry where it is no instance */
function parseInstance(entry: JsonRecord, taggedAddress: string): Instance | string {
  const node = recordOf(entry['Node']);
  const service = recordOf(entry['Service']);
  const id = textOf(service['ID']) || textOf(service['Service']);
  const { host, port } = addressOf(node, service, taggedAddress);
  if (host === '') return 'has no valid address';
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return 'has no port: register the service with one';
  const meta = labelsOf(service['Meta']);
  const place = labelsOf(node['Meta']);
  const given = weightOf(meta['weight']);
  const weights = recordOf(service['Weights']);
  const passing = given ?? weightOf(weights['Passing']) ?? 1;
  return {
    id,
    host,
    port,
    state: stateOf(entry['Checks'], id),
    weights: { passing, warning: given ?? weightOf(weights['Warning']) ?? passing },
    backup: meta['backup'] === 'true',
    zone: meta['zone'] ?? place['zone'] ?? '',
    metadata: { ...meta, node: textOf(node['Node']).slice(0, MOST_LABEL_CHARACTERS), instance: id },
  };
}

/** The service's own address, or else its node's. */
function addressOf(
  node: JsonRecord,
  service: JsonRecord,
  tag: string,
): { readonly host: string; readonly port: number } {
  const tagged = recordOf(recordOf(service['TaggedAddresses'])[tag]);
  const host = textOf(tagged['Address']) || textOf(service['Address']) || textOf(node['Address']);
  const port = Number(tagged['Port'] ?? service['Port']);
  return { host: isHost(host) ? host.toLowerCase() : '', port };
}

/** Labels are texts; others are left out. */
function labelsOf(value: unknown): Readonly<Record<string, string>> {
  const labels = Object.entries(recordOf(value)).flatMap(([name, label]) =>
    typeof label === 'string' && label.length <= MOST_LABEL_CHARACTERS ? [[name, label] as const] : [],
  );
  return Object.fromEntries(labels.slice(0, MOST_LABELS));
}

/** A weight as number or digits; undefined where it is none. */
function weightOf(value: unknown): number | undefined {
  const isWritten = typeof value === 'number' || (typeof value === 'string' && /^\d{1,5}$/.test(value));
  const weight = isWritten ? Number(value) : -1;
  return Number.isInteger(weight) && weight >= 0 && weight <= MOST_WEIGHT ? weight : undefined;
}

const SEVERITY: readonly CheckState[] = ['passing', 'warning', 'critical', 'maintenance'];

/** Unknown statuses count as critical. */
function stateOf(checks: unknown, id: string): CheckState {
  let worst = 0;
  for (const check of Array.isArray(checks) ? (checks as readonly unknown[]) : []) {
    const { CheckID: name, Status: status } = recordOf(check);
    const isMaintenance = name === '_node_maintenance' || name === `_service_maintenance:${id}`;
    const severity = status === 'passing' ? 0 : status === 'warning' ? 1 : isMaintenance ? 3 : 2;
    worst = Math.max(worst, severity);
  }
  return SEVERITY[worst]!;
}

/**
 * Endpoints of the instances that may serve. Instances in maintenance are left out, as those whose checks fail are. Where
 * the checks of all others fail there is no set: a mass failure of checks shall not take everybody out of service.
 */
export function endpointsOf(
  instances: readonly Instance[],
  {
    service,
    scheme,
    onlyPassing,
  }: { readonly service: string; readonly scheme: Scheme; readonly onlyPassing: boolean },
): EndpointsOutcome {
  if (instances.length === 0) return { ok: false, cause: `service ${service} has no instance` };
  const meant = instances.filter(({ state }) => state !== 'maintenance');
  const usable = meant.filter(({ state }) => state === 'passing' || (state === 'warning' && !onlyPassing));
  if (meant.length > 0 && usable.length === 0) {
    return { ok: false, cause: `the checks of all ${meant.length} instance(s) of service ${service} fail` };
  }
  const weightNow = ({ state, weights }: Instance): number => (state === 'passing' ? weights.passing : weights.warning);
  const serving = usable.filter((instance) => weightNow(instance) > 0);
  const heaviest = Math.max(...serving.map(weightNow));
  const endpoints = serving.map((instance): DiscoveredEndpoint => {
    const { host, port, backup, zone, metadata } = instance;
    const weight = scaleWeight(weightNow(instance), heaviest);
    return { protocol: scheme, host, port, socketPath: '', weight, backup, zone, metadata };
  });
  return { ok: true, endpoints };
}
