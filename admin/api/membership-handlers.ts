// Handlers that add endpoints to upstreams, and remove them. Thread: main.

import type { z } from 'zod';
import { endpointId, parseEndpointAddress } from '../../config/values/endpoint-address.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { refusalOf } from '../../discovery/admission.ts';
import { AdminError, type AdminReply, jsonReply } from './admin-reply.ts';
import type { AdminParts, AdminRequest } from './admin-route.ts';
import { noEndpoint, noUpstream } from './change-handlers.ts';
import type { addEndpointBody } from './reply-schemas.ts';

/** Source of endpoints that this API has added. */
const OURS = 'api';

/** Adds an endpoint, or changes the one that was added at its address. */
export async function addEndpoint(
  { params, body, who }: AdminRequest<z.output<typeof addEndpointBody>>,
  parts: AdminParts,
): Promise<AdminReply> {
  const { context } = parts;
  const upstream = upstreamNamed(parts, params['upstream']!);
  const parsed = parseEndpointAddress(body.url);
  if (!parsed.ok) throw new AdminError(400, 'invalid-url', parsed.message);
  const id = endpointId(parsed.value);
  const known = memberOf(upstream, id);
  if (known !== undefined && known.source !== OURS) throw foreign(known, 'change');
  const { weight = 1, backup = false, zone = '', metadata = {} } = body;
  const endpoint = { ...parsed.value, weight, backup, zone, metadata };
  const refusal = refusalOf(endpoint, upstream);
  if (refusal !== null) throw new AdminError(409, 'not-applied', refusal);
  const name = `${upstream.name}/${id}`;
  const withdraw = body.admin === undefined ? null : context.health.awaitEndpoint(name, body.admin, who);
  try {
    await context.membership.add(upstream.name, endpoint, who);
  } catch (error) {
    throw new AdminError(409, 'not-applied', `endpoint ${id} can't be added: ${(error as Error).message}`);
  } finally {
    withdraw?.();
  }
  if (body.admin !== undefined && known !== undefined) context.health.setAdmin(upstream.name, id, body.admin, who);
  const isKept = context.snapshot().healthState !== null;
  const facts = { weight, backup, zone, metadata, keptOverRestarts: isKept };
  return jsonReply({ upstream: upstream.name, endpoint: id, source: OURS, ...facts });
}

/** Removes an endpoint that was added. It drains. */
export async function removeEndpoint({ params, who }: AdminRequest, parts: AdminParts): Promise<AdminReply> {
  const upstream = upstreamNamed(parts, params['upstream']!);
  const id = params['endpoint']!;
  const known = memberOf(upstream, id);
  if (known === undefined) throw noEndpoint({ upstream: upstream.name, endpoint: id }, parts);
  if (known.source !== OURS) throw foreign(known, 'remove');
  await parts.context.membership.remove(upstream.name, id, who);
  return jsonReply({ upstream: upstream.name, endpoint: id, removed: true });
}

function memberOf({ endpoints }: UpstreamSnapshot, id: string): EndpointSnapshot | undefined {
  return endpoints.find((endpoint) => endpoint.id === id);
}

/** @throws AdminError 404 where there is no such upstream */
function upstreamNamed(parts: AdminParts, upstream: string): UpstreamSnapshot {
  const found = parts.context.snapshot().upstreams.find(({ name }) => name === upstream);
  if (found === undefined) throw noUpstream(upstream, parts);
  return found;
}

function foreign({ id, source, origin }: EndpointSnapshot, verb: string): AdminError {
  const where = source === 'config' ? 'the configuration' : `the source ${origin}`;
  return new AdminError(409, 'not-ours', `endpoint ${id} comes from ${where}: ${verb} it there, or drain it`);
}
