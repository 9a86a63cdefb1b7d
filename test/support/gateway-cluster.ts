// Objects of Gateway API, the routes made from them, and the router that requests go through, for tests. Thread: main.

import { compile, newTables } from '../../config/compile/compile.ts';
import { loadConfigText } from '../../config/load.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import { type ApiObject, keyOf, listAt, textAt } from '../../discovery/kubernetes/api-object.ts';
import { type Cluster, KINDS } from '../../providers/kubernetes/cluster.ts';
import { gatewayResult, gatewayStatuses } from '../../providers/kubernetes/gateway.ts';
import type { Refusal } from '../../providers/provider.ts';
import { routeOf, Router } from '../../proxy/routing/router.ts';
import { requestHead } from './request-head.ts';

const FILE = `
listeners: [{ name: web, bind: :8080 }, { name: secure, bind: :443, tls: { fromProviders: true } }]
providers: { kubernetes: {} }
`;
const SETTINGS = {
  access: { kubeconfig: '', context: '' },
  watch: 'cluster' as const,
  listeners: [
    { name: 'web', port: 8080, isTls: false },
    { name: 'secure', port: 443, isTls: true },
  ],
  ports: { '80': 'web' },
};

export const HTTP = { name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } };
export const HTTPS = {
  ...HTTP,
  name: 'https',
  port: 443,
  protocol: 'HTTPS',
  tls: { certificateRefs: [{ name: 'web' }] },
};

export function gateway(listeners: readonly object[] = [HTTP]) {
  return { metadata: { namespace: 'infra', name: 'gw' }, spec: { gatewayClassName: 'fairlead', listeners } };
}

export const backend = (name: string, parts: object = {}) => ({ name, port: 80, ...parts });

export function httpRoute(name: string, rules: readonly object[], spec: object = {}, metadata: object = {}) {
  return {
    metadata: { namespace: 'infra', name, creationTimestamp: '2026-01-01T00:00:00Z', ...metadata },
    spec: { parentRefs: [{ name: 'gw' }], rules, ...spec },
  };
}

export function service(name: string, namespace = 'infra') {
  return { metadata: { namespace, name }, spec: { ports: [{ port: 80 }] } };
}

const SERVICES = ['v1', 'v2', 'v3', 'v4', 'v5', 'v6'].map((name) => service(name));

function clusterOf(objects: Partial<Record<keyof Cluster, readonly object[]>>): Cluster {
  const all = {
    gatewayClasses: [{ metadata: { name: 'fairlead' }, spec: { controllerName: 'fairlead.dev/gateway' } }],
    gateways: [gateway()],
    services: SERVICES,
    ...objects,
  };
  const kinds = Object.keys(KINDS).map((kind) => {
    const list = (all[kind as keyof typeof all] ?? []) as ApiObject[];
    return [kind, new Map(list.map((one) => [keyOf(one), one]))];
  });
  return Object.fromEntries(kinds) as Cluster;
}

export interface Conditions {
  readonly [type: string]: string;
}

export function begin(objects: Partial<Record<keyof Cluster, readonly object[]>>) {
  const cluster = clusterOf(objects);
  const result = gatewayResult(cluster, SETTINGS);
  const place = { file: 'fairlead.yaml', directory: '/', environment: {}, wallMs: 0 };
  const loaded = loadConfigText(FILE, { ...place, parts: result.parts });
  const problems = loaded.ok ? [] : loaded.problems.filter(({ severity }) => severity === 'error');
  const refused: Refusal[] = problems.map(({ file, message }) => ({ origin: file, cause: message }));
  const snapshot = loaded.ok
    ? compile(loaded.config, newTables({ endpoints: 32, upstreams: 32, listeners: 8 }), 1)
    : null;
  const facts = { refused, addresses: [{ ip: '192.0.2.1' }], now: '2026-02-02T00:00:00Z' };
  const changes = gatewayStatuses(cluster, result, facts);
  const statusOf = (path: string) => changes.find((one) => one.path.endsWith(path))?.status;
  const conditionsOf = (status: unknown): Conditions =>
    Object.fromEntries(listAt(status, 'conditions').map((one) => [textAt(one, 'type'), textAt(one, 'reason')]));
  const parentsOf = (name: string) => listAt(statusOf(`httproutes/${name}`), 'parents').map(conditionsOf);
  return { ...result, snapshot, refused, changes, statusOf, conditionsOf, parentsOf, cluster, facts };
}

/** The first service that a request goes to; the status of an answer; or `404`. */
export function taken(snapshot: Snapshot | null, target: string, parts: Sent = {}): string {
  const { host = 'a.test', method = 'GET', fields = [], listener = 'web' } = parts;
  const head = requestHead({ target, authority: host, method, fields });
  const found = routeOf(new Router(snapshot!.routes, snapshot!.listeners).find(head, listener, '192.0.2.1'));
  if (found === null || found === undefined) return '404';
  const { action } = found;
  if (action.kind !== 'upstream') return action.kind === 'files' ? 'files' : String(action.status);
  return snapshot!.upstreams.find(({ index }) => index === action.upstream)!.name.split('.')[1]!;
}

export interface Sent {
  readonly host?: string;
  readonly method?: string;
  readonly fields?: string[];
  readonly listener?: string;
}

export function rule(name: string, ...matches: readonly object[]) {
  return { matches, backendRefs: [backend(name)] };
}

export const path = (value: string, type = 'PathPrefix') => ({ path: { type, value } });
