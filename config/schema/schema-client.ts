// Schema of what one client may do and how long Fairlead waits for it; for all listeners, or for one. Thread: main.

import { z } from 'zod';
import { count, countOrNone, duration, size } from './schema-values.ts';

const timeouts = {
  head: duration().describe(
    'How long a request head may take, from the connection (or its first byte) to its end. Ends with 408.',
  ),
  bodyIdle: duration().describe("How long a client may pause within a request's body. Ends with 408."),
  sendIdle: duration().describe('How long a client may take no byte of a response before the connection is cut.'),
  keepAlive: duration().describe('How long a connection may be idle between two requests.'),
  handshake: duration().describe('How long a TLS handshake may take.'),
};

const limits = {
  head: size('1KiB', '1MiB').describe('Largest request head: request line and all fields. Beyond it: 431.'),
  fields: count(1, 2000).describe('Most header fields in a request. Beyond it: 431.'),
  requestLine: size('256B', '64KiB').describe('Longest request line. Beyond it: 414.'),
  body: size('1B', '1TiB', { orNone: true }).describe('Largest request body. Beyond it: 413.'),
  connections: countOrNone(10_000_000).describe('Most open client connections of a listener, over all workers.'),
  requestsPerConnection: countOrNone(100_000_000).describe(
    'Requests on one connection before it is closed, so that clients spread anew; up to 10 % fewer, at random.',
  ),
};

/** Top-level `timeouts`. */
export const clientTimeouts = z
  .strictObject({
    head: timeouts.head.prefault('15s'),
    bodyIdle: timeouts.bodyIdle.prefault('30s'),
    sendIdle: timeouts.sendIdle.prefault('30s'),
    keepAlive: timeouts.keepAlive.prefault('75s'),
    handshake: timeouts.handshake.prefault('10s'),
  })
  .prefault({})
  .describe('Patience with clients, for every listener that does not set its own.');

/** Top-level `limits`. */
export const clientLimits = z
  .strictObject({
    head: limits.head.prefault('32KiB'),
    fields: limits.fields.default(200),
    requestLine: limits.requestLine.prefault('8KiB'),
    body: limits.body.prefault('none'),
    connections: limits.connections.prefault('none'),
    requestsPerConnection: limits.requestsPerConnection.prefault(1000),
  })
  .prefault({})
  .describe('What one client may send, for every listener that does not set its own.');

/** The same for one listener: what is not given comes from the top level. */
export const ownClientTimeouts = z.strictObject(timeouts).partial().describe('Overrides of the global timeouts.');
export const ownClientLimits = z.strictObject(limits).partial().describe('Overrides of the global limits.');

/** Largest body of one route's requests. */
export const routeLimits = z
  .strictObject({
    body: size('1B', '1TiB').describe("Largest request body, in place of the listener's limit.").optional(),
  })
  .describe('Limits of this route.');
