// Handlers of the weights of splits. Thread: main.

import type { z } from 'zod';
import { nearestName } from '../../config/problems/nearest-name.ts';
import { AdminError, type AdminReply, jsonReply } from './admin-reply.ts';
import type { AdminParts, AdminRequest } from './admin-route.ts';
import type { AdminContext, SplitView } from '../admin-context.ts';
import type { splitBody } from './reply-schemas.ts';

/** Longest list of existing names in a 404 reply. */
const MAX_NAMES = 100;

export function sendSplits(_request: AdminRequest, { context }: AdminParts): AdminReply {
  return jsonReply({ splits: context.splits.list() });
}

/** Answers with the split after the change. */
export async function setSplitWeight(
  { body, who }: AdminRequest<z.output<typeof splitBody>>,
  { context }: AdminParts,
): Promise<AdminReply> {
  const { route, upstream } = body;
  const names = splitNamed(route, context).upstreams.map(({ name }) => name);
  if (!names.includes(upstream)) throw unknown(`upstream in the split of route ${route}`, upstream, names);
  try {
    await context.splits.set(body, who);
  } catch (error) {
    const message = `weight of ${upstream} in the split of route ${route} can't be changed: ${(error as Error).message}`;
    throw new AdminError(409, 'not-applied', message);
  }
  return jsonReply(splitNamed(route, context));
}

/** @throws AdminError 404 where no route of the name has a split */
function splitNamed(route: string, { splits }: AdminContext): SplitView {
  const all = splits.list();
  const found = all.find((one) => one.route === route);
  if (found !== undefined) return found;
  const names = all.map((one) => one.route);
  throw unknown('route with a split', route, names);
}

function unknown(noun: string, name: string, names: readonly string[]): AdminError {
  const suggestion = nearestName(name, names);
  const hint = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
  const details = { names: names.slice(0, MAX_NAMES), nameCount: names.length, suggestion };
  return new AdminError(404, 'no-such-name', `there is no ${noun} named ${name}${hint}`, { details });
}
