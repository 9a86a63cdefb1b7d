// Preflight of an order: proves that the CA's validation would reach this installation, so that no order is spent on a name
// that doesn't. The probe takes the same way as the CA: public DNS, then port 80 or 443. Thread: main.

import { randomBytes, X509Certificate } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import type { AcmeSnapshot, PreflightSnapshot } from '../../core/snapshot/certificates.ts';
import type { Clock } from '../../core/clock.ts';
import { formatHostPort } from '../../net/host-port.ts';
import type { CertificateStorage } from './certificate-storage.ts';
import { alpnCertificate } from './challenge-solvers.ts';
import { type ProbeOutcome, probeAlpn, probeHttp, type ProbeTarget } from './preflight-probes.ts';

/** Time for one DNS query, of which each is sent twice. */
const DNS_TIMEOUT_MS = 3_000;
/** Addresses of one name that are probed. */
const MOST_ADDRESSES = 8;

export class PreflightError extends Error {
  /**
   * Whether the CA would fail, too. False where only this process may be unable to reach the name: its resolver fails, or
   * its network doesn't route the public address back to it.
   */
  readonly isProven: boolean;

  constructor(message: string, isProven: boolean) {
    super(`preflight failed, and no order was made: ${message}`);
    this.name = 'PreflightError';
    this.isProven = isProven;
  }
}

export interface PreflightParts {
  readonly settings: Pick<AcmeSnapshot, 'challenge'>;
  readonly preflight: PreflightSnapshot;
  readonly storage: CertificateStorage;
  readonly clock: Pick<Clock, 'wallMs'>;
}

/** @param name DNS name, with `*.` for a wildcard @throws PreflightError where validation would fail, or can't be probed */
export async function runPreflight(parts: PreflightParts, name: string): Promise<void> {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 2 });
  if (parts.preflight.resolvers.length > 0) resolver.setServers([...parts.preflight.resolvers]);
  if (parts.settings.challenge === 'dns-01') return await checkZone(resolver, name.replace(/^\*\./, ''));
  const addresses = await addressesOf(resolver, name);
  const { httpPort, tlsPort } = parts.preflight;
  const isHttp = parts.settings.challenge === 'http-01';
  const facts = { name, port: isHttp ? httpPort : tlsPort, ports: [httpPort, tlsPort] };
  const probeAll = (probe: Probe) => Promise.all(addresses.map((address) => probe({ ...facts, address })));
  const outcomes = await (isHttp ? withHttpAnswer(parts.storage, probeAll) : withAlpnAnswer(parts, name, probeAll));
  judge(name, addresses, outcomes);
}

/** IPv6 first, as CAs prefer it. */
async function addressesOf(resolver: Resolver, name: string): Promise<readonly string[]> {
  const queries = [resolver.resolve6(name), resolver.resolve4(name)];
  const results = await Promise.allSettled(queries);
  const found = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  if (found.length > 0) return found.slice(0, MOST_ADDRESSES);
  const codes = results.map((result) => (result.status === 'rejected' ? codeOf(result.reason) : ''));
  const failure = codes.find((code) => code !== 'ENOTFOUND' && code !== 'ENODATA');
  if (failure !== undefined) throw unresolved(name, failure);
  const cause = codes.includes('ENOTFOUND') ? 'the name does not exist' : 'it has no A or AAAA record';
  const step = 'add a record with the public address of this installation';
  throw new PreflightError(`${name} does not resolve: ${cause}; ${step}`, true);
}

/** The TXT record of dns-01 needs a zone that resolves: the name's own, or that of a domain above it. */
async function checkZone(resolver: Resolver, name: string): Promise<void> {
  for (let domain = name; domain.includes('.') || domain === name; domain = domain.slice(domain.indexOf('.') + 1)) {
    try {
      await resolver.resolveSoa(domain);
      return;
    } catch (error) {
      const code = codeOf(error);
      if (['ESERVFAIL', 'ETIMEOUT', 'ECONNREFUSED'].includes(code)) throw unresolved(domain, code);
      // Any other answer than "no such name" shows that the domain exists.
      if (code !== 'ENOTFOUND') return;
    }
    if (!domain.includes('.')) break;
  }
  const step = 'register the domain, or correct the name servers of its delegation';
  throw new PreflightError(`no zone of ${name} resolves: the name does not exist; ${step}`, true);
}

function unresolved(name: string, code: string): PreflightError {
  const step = 'check the name servers of the domain, and the resolver of this machine (acme.preflight.resolvers)';
  return new PreflightError(`DNS query for ${name} failed: ${code}; ${step}`, false);
}

type Probe = (target: ProbeTarget) => Promise<ProbeOutcome>;

/** Probes with a token of its own, which the workers of all processes of the storage answer. */
async function withHttpAnswer<Value>(
  storage: CertificateStorage,
  use: (probe: Probe) => Promise<Value>,
): Promise<Value> {
  const token = `fairlead-preflight-${randomBytes(16).toString('hex')}`;
  const answer = randomBytes(16).toString('hex');
  await storage.presentHttp(token, answer);
  try {
    return await use((target) => probeHttp(target, token, answer));
  } finally {
    await storage.withdrawHttp(token).catch(() => undefined);
  }
}

async function withAlpnAnswer<Value>(
  { storage, clock }: Pick<PreflightParts, 'storage' | 'clock'>,
  name: string,
  use: (probe: Probe) => Promise<Value>,
): Promise<Value> {
  const pair = await alpnCertificate(name, randomBytes(16).toString('hex'), clock);
  const { fingerprint256 } = new X509Certificate(pair.cert);
  await storage.presentAlpn(name, pair);
  try {
    return await use((target) => probeAlpn(target, fingerprint256));
  } finally {
    await storage.withdrawAlpn(name).catch(() => undefined);
  }
}

/** One address that another server answers is enough for the CA to fail; one that nobody reaches isn't, beside others. */
function judge(name: string, addresses: readonly string[], outcomes: readonly ProbeOutcome[]): void {
  const foreign = outcomes.find(({ kind }) => kind === 'foreign');
  const resolved = `${name} resolves to ${addresses.join(', ')}`;
  if (foreign !== undefined) {
    const step = `point ${name} at this installation, forward the challenge to it, or share acme.storage with what answers`;
    throw new PreflightError(`${resolved}; ${whereOf(foreign)} is another server: ${foreign.detail}; ${step}`, true);
  }
  if (outcomes.some(({ kind }) => kind === 'own')) return;
  const unreachable = outcomes.map((outcome) => `${whereOf(outcome)} is unreachable: ${outcome.detail}`).join(', ');
  const step =
    'open the port to the internet and forward it to this installation; acme.preflight: false skips this check, where only this network cannot reach the address';
  throw new PreflightError(`${resolved}; ${unreachable}; ${step}`, false);
}

function whereOf({ target: { address, port } }: ProbeOutcome): string {
  return formatHostPort(address, port);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}
