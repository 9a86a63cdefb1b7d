// `fairlead endpoints list|add|remove`: endpoints of upstreams with their origin, and those added at run time.
// Thread: main.

import type { AddedEndpointReply, UpstreamReply } from '../../../admin/api/reply-schemas.ts';
import { endpointId, parseEndpointAddress } from '../../../config/values/endpoint-address.ts';
import { type AdminAnswer, callAdmin, refusalWords } from './admin-client.ts';
import { type AdminOptions, adminTarget } from './admin-target.ts';
import { endpointError, endpointPath } from './endpoint-path.ts';
import { addedLine, endpointLines } from './endpoints-text.ts';
import { attempt, UsageError } from './run-live-command.ts';

const LARGEST_WEIGHT = 256;

interface ListOptions extends AdminOptions {
  readonly json?: boolean;
}

export interface AddOptions extends ListOptions {
  readonly weight?: string;
  readonly backup?: boolean;
  readonly zone?: string;
  /** `name=value`. */
  readonly label: readonly string[];
}

/** Prints the endpoints of one upstream, or of all. */
export function listEndpoints(upstream: string | undefined, options: ListOptions): Promise<void> {
  return attempt(async () => {
    const path = upstream === undefined ? '/api/v1/upstreams' : `/api/v1/upstreams/${encodeURIComponent(upstream)}`;
    const answer = await callAdmin(adminTarget(options), path);
    if (answer.status === 404) throw unknownUpstream(answer);
    if (answer.status !== 200) throw new Error(refusalWords(answer));
    if (options.json === true) {
      console.log(JSON.stringify(answer.body, null, 2));
      return;
    }
    const all = answer.body as { readonly upstreams: readonly UpstreamReply[] };
    const upstreams = upstream === undefined ? all.upstreams : [answer.body as UpstreamReply];
    for (const line of endpointLines(upstreams)) console.log(line);
  });
}

/** Adds an endpoint, or replaces the settings of the one that was added at its address. */
export function addEndpoint(upstream: string, url: string, options: AddOptions): Promise<void> {
  return attempt(async () => {
    const parsed = parseEndpointAddress(url);
    if (!parsed.ok) throw new UsageError(parsed.message);
    const { backup = false, zone = '' } = options;
    const metadata = labelsOf(options.label);
    const body = { url, weight: weightOf(options.weight ?? '1'), backup, zone, metadata };
    const path = `/api/v1/upstreams/${encodeURIComponent(upstream)}/endpoints`;
    const answer = await callAdmin(adminTarget(options), path, { body });
    if (answer.status === 404) throw unknownUpstream(answer);
    if (answer.status !== 200) throw refused(answer, `${upstream}/${endpointId(parsed.value)}`);
    if (options.json === true) console.log(JSON.stringify(answer.body, null, 2));
    else console.log(addedLine(answer.body as AddedEndpointReply));
  });
}

/** Removes an endpoint that was added. */
export function removeEndpoint(endpoint: string, options: ListOptions): Promise<void> {
  return attempt(async () => {
    const answer = await callAdmin(adminTarget(options), endpointPath(endpoint), { method: 'DELETE' });
    if (answer.status === 404) throw endpointError(endpoint, answer);
    if (answer.status !== 200) throw refused(answer, endpoint);
    if (options.json === true) console.log(JSON.stringify(answer.body, null, 2));
    else console.log(`${endpoint} removed: it gets no new requests, and those in flight finish`);
  });
}

/** @throws UsageError */
function weightOf(text: string): number {
  const weight = Number(text);
  if (/^\d+$/.test(text) && weight >= 1 && weight <= LARGEST_WEIGHT) return weight;
  const advice = weight === 0 ? 'to keep requests away, do not add it' : 'the weights of the others are relative to it';
  throw new UsageError(`"${text}" is not a weight from 1 to ${LARGEST_WEIGHT}; ${advice}`);
}

/** @throws UsageError */
function labelsOf(labels: readonly string[]): Readonly<Record<string, string>> {
  const pairs = labels.map((label) => {
    const at = label.indexOf('=');
    if (at < 1) throw new UsageError(`"${label}" is not a label: write name=value, such as version=7`);
    return [label.slice(0, at), label.slice(at + 1)] as const;
  });
  return Object.fromEntries(pairs);
}

function refused(answer: AdminAnswer, endpoint: string): Error {
  const { code } = answer.body as { code?: string };
  return new Error(`${refusalWords(answer)}${code === 'not-ours' ? `: fairlead drain ${endpoint}` : ''}`);
}

function unknownUpstream(answer: AdminAnswer): Error {
  const { upstreams = [], upstreamCount = 0 } = answer.body as { upstreams?: string[]; upstreamCount?: number };
  const more = upstreamCount - upstreams.length;
  const names = [...upstreams, ...(more > 0 ? [`and ${more} more`] : [])];
  return new UsageError(
    [`${refusalWords(answer)}; there are:`, ...(names.length === 0 ? ['none'] : names)].join('\n  '),
  );
}
