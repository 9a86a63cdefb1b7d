// GatewayClass and Gateway objects (gateway.networking.k8s.io/v1): their listeners on those of the configuration,
// certificates, and which routes may attach. Thread: main.

import {
  type ApiObject,
  keyOf,
  listAt,
  numberAt,
  textAt,
  textsAt,
  valueAt,
} from '../../discovery/kubernetes/api-object.ts';
import type { ProvidedCertificate, ServedListener } from '../provider.ts';
import { certificateOf } from './certificates.ts';
import { type Cluster, compareAge } from './cluster.ts';
import { type Condition, condition } from './conditions.ts';
import { GATEWAY_GROUP, isGranted } from './reference-grants.ts';

/** The controller name in GatewayClass objects that this process serves. */
export const GATEWAY_CONTROLLER = 'fairlead.dev/gateway';

/** A listener of a Gateway. */
export interface GatewayListener {
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  /** '' for every host. */
  readonly hostname: string;
  /** Names of listeners of the configuration. */
  readonly served: readonly string[];
  readonly certificates: readonly ProvidedCertificate[];
  readonly conditions: readonly Condition[];
  readonly isUsable: boolean;
  /** Whether routes of a namespace may attach. */
  readonly allows: (namespace: string) => boolean;
}

export interface Gateway {
  readonly key: string;
  readonly object: ApiObject;
  readonly listeners: readonly GatewayListener[];
}

export interface GatewaySettings {
  readonly listeners: readonly ServedListener[];
  /** Names of listeners of the configuration by port of Gateways; others are found by their own port. */
  readonly ports: Readonly<Record<string, string>>;
}

export function gatewayClassesOf({ gatewayClasses }: Pick<Cluster, 'gatewayClasses'>): ApiObject[] {
  return [...gatewayClasses.values()].filter((one) => textAt(one, 'spec', 'controllerName') === GATEWAY_CONTROLLER);
}

/** The Gateways of this controller, oldest first. */
export function gatewaysOf(cluster: Cluster, settings: GatewaySettings): Gateway[] {
  const classes = new Set(gatewayClassesOf(cluster).map((one) => textAt(one, 'metadata', 'name')));
  const own = [...cluster.gateways.values()].filter((one) => classes.has(textAt(one, 'spec', 'gatewayClassName')));
  return own.toSorted(compareAge).map((object) => {
    const written = listAt(object, 'spec', 'listeners');
    return {
      key: keyOf(object),
      object,
      listeners: written.map((one) => listenerOf(one, { object, written, cluster, settings })),
    };
  });
}

interface ListenerContext {
  readonly object: ApiObject;
  readonly written: readonly unknown[];
  readonly cluster: Cluster;
  readonly settings: GatewaySettings;
}

function listenerOf(written: unknown, context: ListenerContext): GatewayListener {
  const port = numberAt(written, 'port') ?? 0;
  const protocol = textAt(written, 'protocol');
  const served = servedBy(port, protocol === 'HTTPS', context.settings);
  const refusal = refusalOf(written, served.length > 0);
  const conflict = conflictOf(written, context.written);
  const tls = protocol === 'HTTPS' ? certificatesOf(written, served, context) : { certificates: [], fault: null };
  const kinds = listAt(written, 'allowedRoutes', 'kinds');
  const isKind = kinds.length === 0 || kinds.some((one) => textAt(one, 'kind') === 'HTTPRoute');
  const resolved = isKind
    ? tls.fault
    : condition('ResolvedRefs', false, 'InvalidRouteKinds', 'HTTPRoute alone is served');
  const isUsable = refusal === null && conflict === null && resolved === null;
  return {
    name: textAt(written, 'name'),
    port,
    protocol,
    hostname: textAt(written, 'hostname').toLowerCase(),
    served,
    certificates: tls.certificates,
    conditions: [
      refusal ?? condition('Accepted', true, 'Accepted'),
      isUsable ? condition('Programmed', true, 'Programmed') : condition('Programmed', false, 'Invalid'),
      resolved ?? condition('ResolvedRefs', true, 'ResolvedRefs'),
      conflict ?? condition('Conflicted', false, 'NoConflicts'),
    ],
    isUsable,
    allows: (namespace) => isKind && allows(written, namespace, context),
  };
}

function servedBy(port: number, isTls: boolean, { listeners, ports }: GatewaySettings): string[] {
  const named = ports[String(port)];
  const found = listeners.filter(
    (one) => one.isTls === isTls && (named === undefined ? one.port === port : one.name === named),
  );
  return found.map(({ name }) => name);
}

function refusalOf(written: unknown, isServed: boolean): Condition | null {
  const protocol = textAt(written, 'protocol');
  if (protocol !== 'HTTP' && protocol !== 'HTTPS') {
    return condition('Accepted', false, 'UnsupportedProtocol', `protocol ${protocol} is not served: use HTTP or HTTPS`);
  }
  if (isServed) return null;
  const kind = protocol === 'HTTPS' ? 'with TLS' : 'without TLS';
  const message = `the configuration of Fairlead has no listener ${kind} for port ${numberAt(written, 'port')}`;
  return condition('Accepted', false, 'PortUnavailable', message);
}

/** Listeners of one Gateway with the same port differ in their hostnames, and share a protocol. */
function conflictOf(written: unknown, all: readonly unknown[]): Condition | null {
  const others = all.filter((one) => one !== written && numberAt(one, 'port') === numberAt(written, 'port'));
  if (others.some((one) => textAt(one, 'protocol') !== textAt(written, 'protocol'))) {
    return condition('Conflicted', true, 'ProtocolConflict', 'another listener has this port with another protocol');
  }
  if (others.some((one) => textAt(one, 'hostname') === textAt(written, 'hostname'))) {
    return condition('Conflicted', true, 'HostnameConflict', 'another listener has this port and hostname');
  }
  return null;
}

interface Certificates {
  readonly certificates: readonly ProvidedCertificate[];
  readonly fault: Condition | null;
}

function certificatesOf(
  written: unknown,
  served: readonly string[],
  { object, cluster }: ListenerContext,
): Certificates {
  const certificates: ProvidedCertificate[] = [];
  const fault = (reason: string, message: string): Certificates => {
    return { certificates, fault: condition('ResolvedRefs', false, reason, message) };
  };
  const mode = textAt(written, 'tls', 'mode') || 'Terminate';
  if (mode !== 'Terminate') return fault('InvalidCertificateRef', `tls.mode ${mode} is not served`);
  const namespace = textAt(object, 'metadata', 'namespace');
  for (const ref of listAt(written, 'tls', 'certificateRefs')) {
    const name = textAt(ref, 'name');
    const target = textAt(ref, 'namespace') || namespace;
    if (textAt(ref, 'group') !== '' || !['', 'Secret'].includes(textAt(ref, 'kind'))) {
      return fault('InvalidCertificateRef', `${name} is no Secret`);
    }
    const from = { group: GATEWAY_GROUP, kind: 'Gateway', namespace };
    if (!isGranted(cluster, { from, to: { kind: 'Secret', namespace: target, name } })) {
      return fault('RefNotPermitted', `no ReferenceGrant permits the secret ${target}/${name}`);
    }
    const found = certificateOf(cluster, `${target}/${name}`, served);
    if (!found.ok) return fault('InvalidCertificateRef', `${target}/${name}: ${found.cause}`);
    certificates.push(found.certificate);
  }
  return certificates.length === 0
    ? fault('InvalidCertificateRef', 'no certificate is given')
    : { certificates, fault: null };
}

function allows(written: unknown, namespace: string, { object, cluster }: ListenerContext): boolean {
  const from = textAt(written, 'allowedRoutes', 'namespaces', 'from') || 'Same';
  if (from === 'All') return true;
  if (from === 'Same') return namespace === textAt(object, 'metadata', 'namespace');
  if (from !== 'Selector') return false;
  const labels = textsAt(cluster.namespaces.get(namespace), 'metadata', 'labels');
  const selector = valueAt(written, 'allowedRoutes', 'namespaces', 'selector');
  const areEqual = Object.entries(textsAt(selector, 'matchLabels')).every(([key, value]) => labels[key] === value);
  return areEqual && listAt(selector, 'matchExpressions').every((one) => matchesExpression(one, labels));
}

function matchesExpression(expression: unknown, labels: Readonly<Record<string, string>>): boolean {
  const value = labels[textAt(expression, 'key')];
  const isListed = value !== undefined && listAt(expression, 'values').includes(value);
  switch (textAt(expression, 'operator')) {
    case 'In':
      return isListed;
    case 'NotIn':
      return !isListed;
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

/** Whether all hosts of the second are among those of the first; '' has every host. */
export function covers(host: string, other: string): boolean {
  return host === '' || host === other || isBelow(other, host);
}

/** Hosts that a listener and a route have in common; [''] for every host, and none where they have nothing in common. */
export function commonHosts(listener: string, route: readonly string[]): string[] {
  if (route.length === 0) return [listener];
  if (listener === '') return [...route];
  return route.flatMap((host) => {
    if (host === listener || isBelow(host, listener)) return [host];
    return isBelow(listener, host) ? [listener] : [];
  });
}

/** Whether a host, or every host of a wildcard, is among those of a wildcard. */
function isBelow(host: string, wildcard: string): boolean {
  return wildcard.startsWith('*.') && host.replace(/^\*/, '').endsWith(wildcard.slice(1)) && host !== wildcard.slice(2);
}
