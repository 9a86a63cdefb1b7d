// Checks of upstreams: duplicate endpoints, balancer settings and TLS; runs all other upstream checks. Thread: main.

import { balancerNamed } from '../../balancers/registry.ts';
import { checkCertificate, readCertificates } from '../files/certificate.ts';
import type { BindAddress } from '../../core/snapshot/listener.ts';
import { isLoopback } from '../../net/host-port.ts';
import { endpointId, type EndpointAddress } from '../values/endpoint-address.ts';
import type { CheckContext } from './parsed-config.ts';
import type { ListenerConfig } from '../schema/schema-listeners.ts';
import { isTcpRoute, type ModeParts, tcpListenersOf } from './tcp-mode.ts';
import { UpstreamCheck } from './upstream-check.ts';
import { checkEjectionTimes, checkMostEjected, checkNothingWatches } from './validate-ejection.ts';
import { checkHeartbeat } from './validate-heartbeat.ts';
import { readFile } from './validate-listeners.ts';
import { checkKeyFile } from './validate-secrets.ts';
import { checkBackups, checkHedge, checkLocality, checkSticky, checkWhenAllDown } from './validate-resilience.ts';
import { checkTimes } from './validate-times.ts';
import { isIP } from 'node:net';
import { sourceNamed } from '../../discovery/sources.ts';
import type { KeyPath } from '../problems/problem.ts';
import type { EndpointConfig } from '../schema/schema-upstreams.ts';

const CHECKS: readonly ((check: UpstreamCheck) => void)[] = [
  checkEndpoints,
  checkDiscover,
  checkLoops,
  checkBackups,
  checkLocality,
  checkHeartbeat,
  checkEjectionTimes,
  checkNothingWatches,
  checkMostEjected,
  checkTimes,
  checkHedge,
  checkWhenAllDown,
  checkSticky,
  checkBalance,
  checkProtocol,
  checkProxyProtocol,
  checkTls,
];

export function checkUpstreams(context: CheckContext): void {
  for (const [name, upstream] of context.config.upstreams) {
    if (upstream === null) continue;
    const check = new UpstreamCheck(upstream, ['upstreams', name], context);
    for (const run of CHECKS) run(check);
  }
}

function checkEndpoints(check: UpstreamCheck): void {
  if (check.upstream.endpoints.length === 0 && check.upstream.discover === undefined) {
    const path = ['endpoints'];
    const example = 'for example endpoints: [http://10.0.0.1:3000]';
    check.report('FL2002', `"endpoints" is required: expected a list of endpoints, ${example}`, path, 'key');
  }
  const seen = new Map<string, number>();
  for (const [index, { url }] of check.upstream.endpoints.entries()) {
    const id = endpointId(url);
    const first = seen.get(id);
    if (first === undefined) {
      seen.set(id, index);
      continue;
    }
    const advice = 'remove it; to give an endpoint a larger share, set its weight';
    check.report('FL3005', `${id} is a duplicate of endpoints[${first}]: ${advice}`, ['endpoints', index]);
  }
}

/** Whether a route of a listener leads to an upstream. A chain of two listeners is no loop. */
function canReach({ mode, name }: ListenerConfig, upstream: string, parts: ModeParts): boolean {
  return parts.routes.some((route) => {
    const split = route?.split?.upstreams.map((one) => one.upstream) ?? [];
    const named = [route?.upstream, ...split, ...(route?.mirror?.map(({ to }) => to) ?? [])];
    if (route === null || !named.includes(upstream)) return false;
    if (mode === 'tcp') return isTcpRoute(route, parts) && tcpListenersOf(route, parts).includes(name);
    return !isTcpRoute(route, parts) && (route.match?.listener?.includes(name) ?? true);
  });
}

/** Reports endpoints on which this configuration listens itself: their requests come round again. */
function checkLoops(check: UpstreamCheck): void {
  const { config } = check.context;
  for (const [index, { url }] of check.upstream.endpoints.entries()) {
    const at = config.listeners.findIndex((listener) => listener !== null && isBoundBy(url, listener.bind));
    if (at === -1 && !(config.admin && isBoundBy(url, config.admin.bind))) continue;
    if (at !== -1 && !canReach(config.listeners[at]!, String(check.path.at(-1)), config)) continue;
    const by = at === -1 ? 'admin.bind' : `listeners[${at}].bind`;
    const message = `${endpointId(url)} is the address of ${by}: requests would come back to Fairlead; give the address of the app server`;
    check.report('FL9023', message, ['endpoints', index]);
  }
}

function isBoundBy({ host, port, socketPath }: EndpointAddress, bind: BindAddress): boolean {
  if (bind.kind === 'unix') return bind.path === socketPath;
  if (bind.kind !== 'tcp' || socketPath !== '' || bind.port !== port || port === 0) return false;
  const isEvery = ['', '0.0.0.0', '::'].includes(bind.host);
  if (bind.host === host) return true;
  return isEvery ? isLoopback(host) : isLoopback(bind.host) && host === 'localhost';
}

function checkBalance(check: UpstreamCheck): void {
  const { balance, endpoints } = check.upstream;
  const problems = balancerNamed(balance.strategy).check?.(balance, { endpointCount: endpoints.length }) ?? [];
  check.reportOptions(problems, ['balance']);
}

/** ALPN is part of TLS: without it nothing says which protocol an endpoint speaks. */
function checkProtocol(check: UpstreamCheck): void {
  const { endpoints, protocol } = check.upstream;
  const plain = endpoints.find(({ url }) => url.protocol === 'http');
  if (protocol !== 'auto' || plain === undefined) return;
  const message = `"protocol" is auto, which an endpoint chooses in the TLS handshake (ALPN), but ${endpointId(plain.url)} has no https URL: write http1 or http2`;
  check.report('FL3008', message, ['protocol']);
}

/** A line of text has no room for values. */
function checkProxyProtocol(check: UpstreamCheck): void {
  const { proxyProtocol } = check.upstream;
  if (proxyProtocol?.version !== 'v1' || proxyProtocol.tlvs === undefined) return;
  const message = 'tlvs are values of a header of version 2: write version: v2, or remove tlvs';
  check.report('FL3007', message, ['proxyProtocol', 'tlvs'], 'key');
}

/** The certificate that Fairlead presents to endpoints. */
function checkOwnCertificate(check: UpstreamCheck): void {
  const { cert, key } = check.upstream.tls;
  if (cert === undefined && key === undefined) return;
  if (cert === undefined || key === undefined) {
    const [given, missing] = cert === undefined ? (['key', 'cert'] as const) : (['cert', 'key'] as const);
    check.report('FL3007', `a certificate needs both files: add ${missing}`, ['tls', given], 'key');
    return;
  }
  const files = { cert, key };
  const [certText, keyText] = (['cert', 'key'] as const).map((part) =>
    readFile(files[part], [...check.path, 'tls', part], check.context),
  );
  checkKeyFile(key, [...check.path, 'tls', 'key'], check.context);
  if (typeof certText !== 'string' || typeof keyText !== 'string') return;
  for (const { code, part, message } of checkCertificate(certText, keyText, check.context.wallMs)) {
    check.report(code, `${files[part]} ${message}`, ['tls', part]);
  }
}

function checkTls(check: UpstreamCheck): void {
  const { tls, endpoints } = check.upstream;
  for (const [index, name] of (tls.ca ?? []).entries()) {
    const path = ['tls', 'ca', ...(Array.isArray(check.valueAt(['tls', 'ca'])) ? [index] : [])];
    const text = readFile(name, [...check.path, ...path], check.context);
    if (text === null || readCertificates(text) !== null) continue;
    check.report('FL4002', `${name} contains no certificate: a PEM file with BEGIN CERTIFICATE is required`, path);
  }
  checkOwnCertificate(check);
  if (!endpoints.some(({ url }) => url.protocol === 'https' || url.protocol === 'tls')) {
    if (check.isGiven(['tls']))
      check.reportNoEffect(['tls'], 'no endpoint of this upstream has an https or tls URL', 'key');
  } else if (!tls.verify) {
    const message =
      'without verification anyone on the network path can read and change requests: set tls.ca instead of verify: false';
    check.report('FL9005', message, ['tls', 'verify']);
  }
}

function checkDiscover(check: UpstreamCheck): void {
  const serverName = check.upstream.tls.serverName ?? '';
  const place = { upstream: String(check.path.at(-1)), directory: check.context.directory, serverName };
  for (const [kind, options] of Object.entries(check.upstream.discover?.sources ?? {})) {
    check.reportOptions(sourceNamed(kind).check?.(options, place) ?? [], ['discover', kind]);
  }
  for (const [index, endpoint] of check.upstream.endpoints.entries()) {
    if (endpoint.resolve === 'all') checkResolved(check, endpoint, ['endpoints', index]);
  }
}

/** Only a name can have several addresses; and TLS needs that name. */
function checkResolved(check: UpstreamCheck, { url }: EndpointConfig, path: KeyPath): void {
  if (url.socketPath !== '' || isIP(url.host) !== 0) {
    check.reportNoEffect([...path, 'resolve'], 'this endpoint is no name');
  } else if (url.protocol === 'https' && check.upstream.tls.serverName === undefined) {
    const message = `with resolve: all the upstream needs "tls.serverName", for example ${url.host}: its endpoints are addresses, whose certificates have names`;
    check.report('FL3008', message, [...path, 'resolve']);
  }
}
