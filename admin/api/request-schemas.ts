// Schema of the requests in flight in the admin API, and its handler. Thread: main.

import { z } from 'zod';
import { MOST_REQUESTS, REQUEST_PHASES } from '../../core/requests-in-flight.ts';
import { AdminError, type AdminReply, jsonReply } from './admin-reply.ts';
import type { AdminParts, AdminRequest } from './admin-route.ts';

const count = z.int().min(0);

const request = z.strictObject({
  id: z.string().describe('X-Request-Id; empty where the client sent none and no id was needed yet.'),
  client: z.string().describe('Address behind trusted proxies; empty over a Unix socket.'),
  listener: z.string(),
  method: z.string(),
  host: z.string(),
  path: z.string().describe('Without the query; cut at 200 characters.'),
  route: z.string(),
  upstream: z.string(),
  endpoint: z.string().describe('With its upstream, such as api/10.0.0.1:3000.'),
  phase: z.enum(REQUEST_PHASES),
  ageMs: count.describe('Since its first byte.'),
  attempts: count,
  bytesReceived: count.describe('Of the body, from the client.'),
  bytesSent: count.describe('Of the body, to the client.'),
});

const clientLoad = z.strictObject({
  client: z.string(),
  requests: count,
  bytesReceived: count,
  bytesSent: count,
});

export const requestsInFlight = z.strictObject({
  total: count.describe('All requests in flight, listed or not.'),
  requests: z.array(request).describe('Oldest first.'),
  clients: z.array(clientLoad).describe('The clients with the most requests in flight.'),
  missingWorkers: z.array(count).describe('Workers that did not answer within a second.'),
});
export type RequestsReply = z.output<typeof requestsInFlight>;

/** @throws AdminError 400 for an invalid limit */
export async function sendRequests({ query }: AdminRequest, { context }: AdminParts): Promise<AdminReply> {
  const limit = Number(query.get('limit') ?? MOST_REQUESTS);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_REQUESTS) {
    throw new AdminError(400, 'bad-value', `limit must be a whole number from 1 to ${MOST_REQUESTS}`);
  }
  const { requests, ...others } = await context.requests();
  return jsonReply({ ...others, requests: requests.slice(0, limit) });
}
