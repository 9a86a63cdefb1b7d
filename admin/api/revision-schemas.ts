// Schemas and handlers of the configuration's newest revisions. Thread: main.

import { z } from 'zod';
import { AdminError, type AdminReply, jsonReply } from './admin-reply.ts';
import type { AdminParts, AdminRequest } from './admin-route.ts';
import { amount, time } from './endpoint-schemas.ts';
import { isoOf } from './iso-time.ts';
import type { RevisionText } from './revision-texts.ts';

const about = z.strictObject({
  generation: amount,
  at: time.describe('When it was taken over.'),
  changes: z.array(z.string()).describe('Differences from the one before; empty for the first.'),
  hasText: z.boolean(),
});

export const revisions = z.strictObject({
  revisions: z.array(about).describe('Newest first: at most 20, since the process started.'),
});
export type RevisionsReply = z.output<typeof revisions>;

export const revision = about.extend({
  file: z.string().nullable(),
  text: z
    .string()
    .nullable()
    .describe('YAML, variables by name, secrets masked; null without a file, and above 256 Ki characters.'),
});
export type RevisionReply = z.output<typeof revision>;

export function sendRevisions(_request: AdminRequest, { revisions: kept }: AdminParts): AdminReply {
  return jsonReply({ revisions: kept.list().map(aboutOf) });
}

/** @throws AdminError 404 for a revision that isn't kept */
export function sendRevision({ params }: AdminRequest, { revisions: kept }: AdminParts): AdminReply {
  const wanted = params['generation']!;
  const found = kept.list().find((one) => String(one.revision) === wanted);
  if (found === undefined) {
    const generations = kept.list().map((one) => one.revision);
    const message = `revision ${wanted} is not kept: known are ${generations.join(', ') || 'none yet'}`;
    throw new AdminError(404, 'no-such-revision', message, { details: { generations } });
  }
  const { file, text } = found;
  return jsonReply({ ...aboutOf(found), file, text });
}

function aboutOf({ revision: generation, at, changes, text }: RevisionText): z.output<typeof about> {
  return { generation, at: isoOf(at), changes: [...changes], hasText: text !== null };
}
