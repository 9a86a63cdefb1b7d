// Handlers of maintenance of routes and upstreams. Thread: main.

import type { z } from 'zod';
import { nearestName } from '../../config/problems/nearest-name.ts';
import { type MaintenanceSwitch, RETRY_AFTER_S } from '../../core/snapshot/maintenance.ts';
import { AdminError, type AdminReply, jsonReply } from './admin-reply.ts';
import type { AdminParts, AdminRequest } from './admin-route.ts';
import type { AdminContext } from '../admin-context.ts';
import type { maintenanceBody } from './reply-schemas.ts';

type Body = z.output<typeof maintenanceBody>;
type Kind = MaintenanceSwitch['of'];

/** Longest list of existing names in a 404 reply. */
const MAX_NAMES = 100;

export function sendMaintenance(_request: AdminRequest, { status }: AdminParts): AdminReply {
  return jsonReply({ maintenance: status.maintenance() });
}

export async function setMaintenance({ body, who }: AdminRequest<Body>, { context }: AdminParts): Promise<AdminReply> {
  const { on: isOn, name, retryAfterSeconds: retryAfterS = RETRY_AFTER_S.default } = body;
  const of = kindOf(body, context);
  try {
    await context.maintenance.set({ of, name, isOn, retryAfterS }, who);
  } catch (error) {
    const message = `maintenance of ${of} ${name} can't be changed: ${(error as Error).message}`;
    throw new AdminError(409, 'not-applied', message);
  }
  return jsonReply({ of, name, on: isOn, retryAfterSeconds: isOn ? retryAfterS : null });
}

/** @throws AdminError 404 where there is none of the name; 409 where a route and an upstream have it */
function kindOf({ of, name }: Body, context: AdminContext): Kind {
  const { routes, upstreams } = context.snapshot();
  const byKind: Readonly<Record<Kind, readonly { readonly name: string }[]>> = { route: routes, upstream: upstreams };
  const kinds: readonly Kind[] = of === undefined ? ['route', 'upstream'] : [of];
  const having = kinds.filter((kind) => byKind[kind].some((one) => one.name === name));
  if (having.length === 1) return having[0]!;
  if (having.length > 1) {
    const message = `a route and an upstream are named ${name}: say which, with "of": "route" or "upstream"`;
    throw new AdminError(409, 'ambiguous-name', message);
  }
  const names = kinds.flatMap((kind) => byKind[kind].map((one) => one.name));
  const suggestion = nearestName(name, names);
  const hint = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
  const details = { names: names.slice(0, MAX_NAMES), nameCount: names.length, suggestion };
  throw new AdminError(404, 'no-such-name', `there is no ${kinds.join(' or ')} ${name}${hint}`, { details });
}
