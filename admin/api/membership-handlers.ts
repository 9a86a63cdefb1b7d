// Handlers that add endpoints to upstreams, and remove them. Thread: main.

import type { z } from 'zod';
import { endpointId, parseEndpointAddress } from '../../config/values/endpoint-address.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { AdminError, type AdminReply, jsonReply } from './admin-reply.ts';
import type { AdminParts, AdminRequest } from './admin-route.ts';
import type { AdminContext } from '../admin-context.ts';
import type { addEndpointBody } from './reply-schemas.ts';

/** Source of endpoints that this API has added. */
const OURS = 'api';

/** Adds an endpoint, or changes the one that was added at its address. */
export async function addEndpoint(
  { params, body, who }: AdminRequest<z.output<typeof addEndpointBody>>,
  { context }: AdminParts,
): Promise<AdminReply> {
  const upstream = params['upstream']!;
  const parsed = parseEndpointAddress(body.url);
  if (!parsed.ok) throw new AdminError(400, 'invalid-url', parsed.message);
  const id = endpointId(parsed.value);
  const known = memberOf(context, upstream, id);
  if (known !== undefined && known.source !== OURS) throw foreign(known, 'change');
  const [other] = upstreamNamed(context, upstream).endpoints;
  if (other !== undefined && isByteRelay(other.protocol) !== isByteRelay(parsed.value.protocol)) {
    const message = `endpoint ${id} can't be added: the others of upstream ${upstream} are ${other.protocol}://`;
    throw new AdminError(409, 'not-applied', message);
  }
  const { weight = 1, backup = false, zone = '' } = body;
  try {
    await context.membership.add(upstream, { ...parsed.value, weight, backup, zone, metadata: {} }, who);
  } catch (error) {
    throw new AdminError(409, 'not-applied', `endpoint ${id} can't be added: ${(error as Error).message}`);
  }
  return jsonReply({ upstream, endpoint: id, source: OURS, weight, backup, zone });
}

/** Removes an endpoint that was added. It drains. */
export async function removeEndpoint({ params, who }: AdminRequest, { context }: AdminParts): Promise<AdminReply> {
  const [upstream, id] = [params['upstream']!, params['endpoint']!];
  const known = memberOf(context, upstream, id);
  if (known === undefined) throw new AdminError(404, 'no-such-endpoint', `upstream ${upstream} has no endpoint ${id}`);
  if (known.source !== OURS) throw foreign(known, 'remove');
  await context.membership.remove(upstream, id, who);
  return jsonReply({ upstream, endpoint: id, removed: true });
}

function memberOf(context: AdminContext, upstream: string, id: string): EndpointSnapshot | undefined {
  return upstreamNamed(context, upstream).endpoints.find((endpoint) => endpoint.id === id);
}

/** @throws AdminError 404 where there is no such upstream */
function upstreamNamed(context: AdminContext, upstream: string): UpstreamSnapshot {
  const found = context.snapshot().upstreams.find(({ name }) => name === upstream);
  if (found === undefined) throw new AdminError(404, 'no-such-upstream', `there is no upstream ${upstream}`);
  return found;
}

/** Whether connections to the endpoint carry bytes, not requests: an upstream has endpoints of one kind. */
function isByteRelay(protocol: EndpointSnapshot['protocol']): boolean {
  return protocol === 'tcp' || protocol === 'tls';
}

function foreign({ id, source }: EndpointSnapshot, verb: string): AdminError {
  const where = source === 'config' ? 'the configuration' : `the source ${source}`;
  return new AdminError(409, 'not-ours', `endpoint ${id} comes from ${where}: ${verb} it there, or drain it`);
}
