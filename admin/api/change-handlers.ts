// Handlers of changes: an endpoint's state and weight, reload, upgrade. Thread: main.

import type { z } from 'zod';
import { nearestName } from '../../config/problems/nearest-name.ts';
import { AdminError, type AdminReply, jsonReply } from './admin-reply.ts';
import type { AdminParts, AdminRequest } from './admin-route.ts';
import { configTag, requireMatch } from './entity-tag.ts';
import { isoOf } from './iso-time.ts';
import type { emptyBody, endpointPatch, stateBody, weightBody } from './reply-schemas.ts';
import type { TaggedEndpoint } from './status-view.ts';

/** Longest list of existing names in a 404 reply. */
const MAX_NAMES = 100;

export function setState(request: AdminRequest<z.output<typeof stateBody>>, parts: AdminParts): AdminReply {
  return patchEndpoint(request, parts);
}

export function setWeight(request: AdminRequest<z.output<typeof weightBody>>, parts: AdminParts): AdminReply {
  return patchEndpoint(request, parts);
}

/** Changes state, weight or both. Everything is checked before anything changes. */
export function patchEndpoint(request: AdminRequest<z.output<typeof endpointPatch>>, parts: AdminParts): AdminReply {
  const { params, body, who } = request;
  const { health } = parts.context;
  const before = findEndpoint(params, parts);
  requireMatch(request.ifMatch, before.tag);
  const [upstream, endpoint] = [params['upstream']!, params['endpoint']!];
  if (body.admin === undefined && body.weight === undefined) {
    throw new AdminError(400, 'missing-key', 'the body changes nothing: send admin, weight or both');
  }
  if (body.admin !== undefined) health.setAdmin(upstream, endpoint, body.admin, who);
  const weight = body.weight === null ? before.reply.configuredWeight : body.weight;
  if (weight !== undefined) health.setWeight(upstream, endpoint, weight, who);
  const { reply, tag } = findEndpoint(params, parts);
  return jsonReply(reply, 200, { ETag: tag });
}

export async function reload(
  { ifMatch, who }: AdminRequest<z.output<typeof emptyBody>>,
  { context }: AdminParts,
): Promise<AdminReply> {
  requireMatch(ifMatch, configTag(context.snapshot().revision));
  if (context.reload === null) {
    throw new AdminError(501, 'no-reload', 'this process was not started from a configuration file');
  }
  context.log.info({ who }, `reload requested by ${who}`);
  const outcome = await context.reload();
  if (outcome.ok) {
    const { revision, changes } = outcome;
    return jsonReply({ generation: revision, changes }, 200, { ETag: configTag(revision) });
  }
  const details = { problems: outcome.problems, findings: outcome.findings ?? [] };
  throw new AdminError(422, 'config-refused', 'the configuration is refused; nothing has changed', { details });
}

export async function upgrade({ who }: AdminRequest, { context }: AdminParts): Promise<AdminReply> {
  if (context.upgrade === undefined) {
    const message = 'this process has no holder that could start the next one: run it with --holder';
    throw new AdminError(501, 'no-holder', message);
  }
  context.log.info({ who }, `upgrade requested by ${who}`);
  const outcome = await context.upgrade();
  if (outcome.ok) return jsonReply({ pid: outcome.pid });
  throw new AdminError(409, 'upgrade-failed', outcome.message);
}

/** The endpoint that a path names. @throws AdminError 404 with the existing endpoints */
export function findEndpoint(params: Readonly<Record<string, string>>, parts: AdminParts): TaggedEndpoint {
  const found = parts.status.endpoint(params['upstream']!, params['endpoint']!);
  if (found === null) throw noEndpoint(params, parts);
  return found;
}

/** 404 with the existing endpoints, those of the same upstream first. */
export function noEndpoint({ upstream, endpoint }: Readonly<Record<string, string>>, { context }: AdminParts) {
  const { upstreams } = context.snapshot();
  const inOrder = [
    ...upstreams.filter(({ name }) => name === upstream),
    ...upstreams.filter(({ name }) => name !== upstream),
  ];
  const names = inOrder.flatMap(({ name, endpoints }) => endpoints.map(({ id }) => `${name}/${id}`));
  const suggestion = nearestName(`${upstream}/${endpoint}`, names);
  const hint = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
  const message = `there is no endpoint ${endpoint} in an upstream ${upstream}${hint}`;
  const left = departureOf(context, upstream!, endpoint!);
  const details = {
    endpoints: names.slice(0, MAX_NAMES),
    endpointCount: names.length,
    suggestion,
    ...(left && { left }),
  };
  const text =
    left === null
      ? message
      : `endpoint ${upstream}/${endpoint} was removed at ${left.at} (${left.origin}): ${left.cause}`;
  return new AdminError(404, 'no-such-endpoint', text, { details });
}

function departureOf({ membership }: AdminParts['context'], upstream: string, endpoint: string) {
  const left = membership.departureOf(upstream, endpoint);
  return left === null ? null : { ...left, at: isoOf(left.at) };
}

/** 404 with the existing upstreams. */
export function noUpstream(upstream: string, { context }: AdminParts): AdminError {
  const names = context.snapshot().upstreams.map(({ name }) => name);
  const suggestion = nearestName(upstream, names);
  const hint = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
  const details = { upstreams: names.slice(0, MAX_NAMES), upstreamCount: names.length, suggestion };
  return new AdminError(404, 'no-such-upstream', `there is no upstream ${upstream}${hint}`, { details });
}
