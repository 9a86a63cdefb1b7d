// Checks of upstreams: duplicate endpoints, balancer settings and TLS; runs all other upstream checks. Thread: main.

import { balancerNamed } from '../../balancers/registry.ts';
import { readCertificates } from '../files/certificate.ts';
import { endpointId } from '../values/endpoint-address.ts';
import type { CheckContext } from './parsed-config.ts';
import { UpstreamCheck } from './upstream-check.ts';
import { checkEjectionTimes, checkMostEjected, checkNothingWatches } from './validate-ejection.ts';
import { checkHeartbeat } from './validate-heartbeat.ts';
import { readFile } from './validate-listeners.ts';
import { checkBackups, checkHedge, checkSticky, checkWhenAllDown } from './validate-resilience.ts';
import { checkTimes } from './validate-times.ts';

const CHECKS: readonly ((check: UpstreamCheck) => void)[] = [
  checkEndpoints,
  checkBackups,
  checkHeartbeat,
  checkEjectionTimes,
  checkNothingWatches,
  checkMostEjected,
  checkTimes,
  checkHedge,
  checkWhenAllDown,
  checkSticky,
  checkBalance,
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

function checkBalance(check: UpstreamCheck): void {
  const { balance, endpoints } = check.upstream;
  const problems = balancerNamed(balance.strategy).check?.(balance, { endpointCount: endpoints.length }) ?? [];
  check.reportOptions(problems, ['balance']);
}

function checkTls(check: UpstreamCheck): void {
  const { tls, endpoints } = check.upstream;
  for (const [index, name] of (tls.ca ?? []).entries()) {
    const path = ['tls', 'ca', ...(Array.isArray(check.valueAt(['tls', 'ca'])) ? [index] : [])];
    const text = readFile(name, [...check.path, ...path], check.context);
    if (text === null || readCertificates(text) !== null) continue;
    check.report('FL4002', `${name} contains no certificate: a PEM file with BEGIN CERTIFICATE is required`, path);
  }
  if (!endpoints.some(({ url }) => url.protocol === 'https')) {
    if (check.isGiven(['tls'])) check.reportNoEffect(['tls'], 'no endpoint of this upstream has an https URL', 'key');
  } else if (!tls.verify) {
    const message =
      'without verification anyone on the network path can read and change requests: set tls.ca instead of verify: false';
    check.report('FL9005', message, ['tls', 'verify']);
  }
}
