// Schema of client limits and timeouts, global and per listener or route. Thread: main.

import { z } from 'zod';
import { count, countOrNone, duration, size } from './schema-values.ts';

const timeouts = {
  head: duration().describe('Time for a request head, from accept (or its first byte) to its end. On expiry: 408.'),
  bodyIdle: duration().describe('Longest pause within a request body. On expiry: 408.'),
  sendIdle: duration().describe(
    'Longest time in which a client reads no byte of a response. On expiry the connection is closed.',
  ),
  keepAlive: duration().describe('Idle time of a connection between two requests.'),
  handshake: duration().describe('Time for a TLS handshake.'),
};

const limits = {
  head: size('1KiB', '1MiB').describe('Size limit of a request head: request line and all fields. Above it: 431.'),
  fields: count(1, 2000).describe('Limit of header fields in a request. Above it: 431.'),
  requestLine: size('256B', '64KiB').describe('Size limit of a request line. Above it: 414.'),
  body: size('1B', '1TiB', { orNone: true }).describe('Size limit of a request body. Above it: 413.'),
  connections: countOrNone(10_000_000).describe(
    'Limit of open client connections per listener, over all workers. At it the oldest connection without a whole request head is closed for a new one; if there is none, the new one is closed. Without it all listeners share what the limit on open files leaves for clients: about half.',
  ),
  connectionsPerClient: countOrNone(10_000_000).describe(
    'Limit of open connections of one client per listener, over all workers. A client is an IPv4 address or an IPv6 /64; trusted proxies have no limit. At it the oldest connection of the client without a request in progress is closed for a new one; if there is none, the new one is closed.',
  ),
  streams: count(1, 1000).describe(
    'Requests that a client may have open at a time on one HTTP/2 connection; more are refused, and may be sent again (REFUSED_STREAM).',
  ),
  requestsPerConnection: countOrNone(100_000_000).describe(
    'Requests on one connection before it is closed, so that clients are redistributed; reduced by up to 10 % at random.',
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
  .describe('Timeouts for clients. Listeners can override them.');

/** Top-level `limits`. */
export const clientLimits = z
  .strictObject({
    head: limits.head.prefault('32KiB'),
    fields: limits.fields.default(200),
    requestLine: limits.requestLine.prefault('8KiB'),
    body: limits.body.prefault('none'),
    connections: limits.connections.prefault('none'),
    connectionsPerClient: limits.connectionsPerClient.prefault('none'),
    streams: limits.streams.default(256),
    requestsPerConnection: limits.requestsPerConnection.prefault(1000),
  })
  .prefault({})
  .describe('Limits for one client. Listeners can override them.');

/** Overrides of a listener: keys that are absent come from the top level. */
export const ownClientTimeouts = z.strictObject(timeouts).partial().describe('Overrides of the global timeouts.');
export const ownClientLimits = z.strictObject(limits).partial().describe('Overrides of the global limits.');

/** Limits of a route. */
export const routeLimits = z
  .strictObject({
    body: size('1B', '1TiB').describe('Size limit of a request body, instead of that of the listener.').optional(),
  })
  .describe('Limits of this route.');
