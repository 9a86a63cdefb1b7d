// Releases of Node.js with known faults that clients or endpoints of Fairlead can use: the data, with its sources, and those
// that concern a configuration. Thread: main.

import type { Config } from './schema/schema.ts';

/** Part of Node that a configuration uses. */
type NodeFeature = 'tls-server' | 'tls-client' | 'http2';

interface NodeAdvisory {
  readonly ids: readonly string[];
  readonly fault: string;
  readonly features: readonly NodeFeature[];
  /** First fixed release of each line; a line that is absent, and older than the newest one named, has no fix. */
  readonly fixed: Readonly<Record<number, string>>;
  readonly source: string;
}

const BLOG = 'https://nodejs.org/en/blog/vulnerability';
const RELEASES = 'https://github.com/nodejs/node/releases/tag';

/** From the oldest supported release on, newest first. */
export const NODE_ADVISORIES: readonly NodeAdvisory[] = [
  {
    ids: ['CVE-2026-126051'],
    fault: 'clients can crash TLS servers',
    features: ['tls-server'],
    fixed: { 24: '24.22.3', 26: '26.13.1' },
    source: `${RELEASES}/v24.22.3`,
  },
  {
    ids: ['CVE-2026-123863', 'CVE-2026-123865', 'CVE-2026-123866', 'CVE-2026-123868', 'CVE-2026-123874'],
    fault: 'HTTP/2 clients can exhaust memory and read memory of other connections',
    features: ['http2'],
    fixed: { 24: '24.22.3', 26: '26.13.1' },
    source: `${RELEASES}/v24.22.3`,
  },
  {
    ids: ['CVE-2026-105482', 'CVE-2026-105483', 'CVE-2026-106069'],
    fault: 'the names and addresses of TLS servers can be spoofed',
    features: ['tls-client'],
    fixed: { 24: '24.22.1', 26: '26.12.1' },
    source: `${BLOG}/october-2026-security-releases`,
  },
  {
    ids: ['CVE-2026-56848'],
    fault: 'HTTP/2 clients can corrupt memory',
    features: ['http2'],
    fixed: { 24: '24.18.1', 26: '26.5.1' },
    source: `${BLOG}/july-2026-security-releases`,
  },
  {
    ids: ['CVE-2026-48618', 'CVE-2026-48934'],
    fault: 'the verification of TLS servers can be bypassed',
    features: ['tls-client'],
    fixed: { 24: '24.17.0', 26: '26.3.1' },
    source: `${BLOG}/june-2026-security-releases`,
  },
  {
    ids: ['CVE-2026-21714'],
    fault: 'HTTP/2 clients can exhaust memory',
    features: ['http2'],
    fixed: { 24: '24.14.1', 25: '25.8.2' },
    source: `${BLOG}/march-2026-security-releases`,
  },
  {
    ids: ['CVE-2025-59464', 'CVE-2025-59465'],
    fault: 'clients can crash HTTP/2 servers and leak memory by client certificates',
    features: ['tls-server', 'http2'],
    fixed: { 24: '24.13.0', 25: '25.3.0' },
    source: `${BLOG}/december-2025-security-releases`,
  },
];

/**
 * One sentence for each fault of a release that concerns a configuration.
 * @param version as in process.versions.node
 */
export function nodeWarnings(settings: Config, version: string = process.versions.node): string[] {
  const used = featuresOf(settings);
  const found = NODE_ADVISORIES.filter(
    ({ features, fixed }) => features.some((feature) => used.has(feature)) && isAffected(version, fixed),
  );
  return found.map(({ ids, fault, fixed, source }) => {
    const releases = Object.values(fixed).join(', ');
    return `Node v${version} has a known fault: ${fault} (${ids.join(', ')}): install one of ${releases} or newer; ${source}`;
  });
}

function featuresOf({ listeners, upstreams, fastPath }: Config): ReadonlySet<NodeFeature> {
  const used = new Set<NodeFeature>();
  if (listeners.some(({ tls }) => tls !== undefined)) used.add('tls-server');
  // The fast path has an HTTP/2 engine of its own, to clients and to endpoints.
  if (!fastPath && listeners.some(({ tls, http2 }) => http2 || tls?.http2 === true)) used.add('http2');
  const endpoints = Object.values(upstreams).flatMap((upstream) => upstream.endpoints);
  if (endpoints.some(({ url }) => url.protocol === 'https')) used.add('tls-client');
  return used;
}

function isAffected(version: string, fixed: NodeAdvisory['fixed']): boolean {
  const [major = 0] = numbersOf(version);
  const fix = fixed[major];
  if (fix !== undefined) return isOlder(version, fix);
  return major < Math.max(...Object.keys(fixed).map(Number));
}

function isOlder(version: string, other: string): boolean {
  const [one, two] = [numbersOf(version), numbersOf(other)];
  const at = one.findIndex((number, index) => number !== two[index]);
  return at >= 0 && one[at]! < two[at]!;
}

function numbersOf(version: string): number[] {
  return version.split('-')[0]!.split('.').map(Number);
}
