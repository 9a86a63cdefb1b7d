// Reads a small JSON object from a request. Thread: main.

import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { AdminError } from './admin-reply.ts';

/** Limit of a body: requests consist of a few words. */
const MAX_BODY_BYTES = 64 * 1024;
/** Bytes of a larger body that are read and discarded, so that the client can read the reply. */
const MAX_DISCARDED_BYTES = 1024 * 1024;

/** Reads the body as an object. @throws AdminError when it is too large, not JSON, or not an object */
export async function readJsonBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await readBytes(request);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new AdminError(400, 'malformed-json', 'the body is not well-formed JSON in UTF-8');
  }
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new AdminError(400, 'not-an-object', 'the body must be a JSON object');
}

/** Checks the body by a schema. @throws AdminError 400 that names the wrong key */
export function fitBody(body: Readonly<Record<string, unknown>>, schema: z.ZodObject): unknown {
  const known = Object.keys(schema.shape);
  const unknown = Object.keys(body).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    const message = `the key ${JSON.stringify(unknown)} is not known here; known: ${known.join(', ') || 'none'}`;
    throw new AdminError(400, 'unknown-key', message);
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const key = String(issue.path[0] ?? '');
  if (!Object.hasOwn(body, key)) throw new AdminError(400, 'missing-key', `the key ${key} is missing`);
  throw new AdminError(400, 'bad-value', `${key} has a wrong value: ${wordsOf(issue.message)}`);
}

async function readBytes(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes <= MAX_BODY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
    if (sizeBytes > MAX_DISCARDED_BYTES) break;
  }
  if (sizeBytes <= MAX_BODY_BYTES) return Buffer.concat(chunks);
  const fields = { Connection: 'close' };
  throw new AdminError(413, 'body-too-large', `the body may have ${MAX_BODY_BYTES} bytes at most`, { fields });
}

/** zod's message as part of a sentence: `expected one of "ready", "drain"`. */
function wordsOf(message: string): string {
  return message.replace(/^Invalid (?:option|input): /, '').replaceAll('"|"', '", "');
}
