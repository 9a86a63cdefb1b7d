// Schema of the explanation of a TCP session: where it would go, and the reasons. Thread: main.

import { z } from 'zod';
import { explainedListener, explainedPolicy, explainedUpstream } from './explain-schemas.ts';

const session = z.strictObject({
  tls: z
    .enum(['none', 'passed-on', 'terminated'])
    .describe('Whether the client speaks TLS, and who answers its handshake: an endpoint, or the listener.'),
  serverName: z.string().describe('That the client requests (SNI); empty for none.'),
  alpn: z
    .array(z.string())
    .describe('Protocols that routes compare: those that the client offers, or the one agreed on.'),
  client: z.string().describe('Address of the client; empty on a Unix socket.'),
});

const verdict = z.strictObject({
  name: z.string(),
  position: z.int().min(1).describe('Among the routes of TCP listeners, in the order of the file.'),
  verdict: z
    .enum(['matched', 'behind', 'listener', 'serverName', 'alpn', 'client', 'not'])
    .describe('`behind`: it matches too, but one above was first. Else the first part that does not match.'),
  wanted: z.array(z.string()).describe('Values that this part requires; for `not` those that exclude the session.'),
  had: z.string().describe('The value of the session.'),
});

const action = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('upstream'), upstream: z.string() }),
  z.strictObject({ kind: z.enum(['no-route', 'refused', 'unknown-name', 'no-protocol']), because: z.string() }),
]);

const milliseconds = z.number().min(0);

const plan = z.strictObject({
  retries: z.int().min(0).describe('Tries after the first, at other endpoints.'),
  verdict: z.string().describe('As in the access log, where no connection could be made at the first try.'),
  timeouts: z.strictObject({
    queueMs: milliseconds,
    connectMs: milliseconds,
    tunnelMs: milliseconds.describe('Without a byte; 0 is none.'),
  }),
  maxQueue: z.int().min(0),
  priority: z.enum(['critical', 'default', 'sheddable']),
  onDown: z.enum(['keep', 'close']),
});

export const explainedSession = z.strictObject({
  generation: z.number().min(0).describe('Of the configuration; 0 where it is of a file.'),
  session,
  listener: explainedListener,
  routes: z.array(verdict).describe('Those of TCP listeners, in the order of the file.'),
  route: z.string().nullable(),
  action,
  upstream: explainedUpstream.nullable(),
  plan: plan.nullable(),
  policies: z.array(explainedPolicy),
});
export type SessionReply = z.output<typeof explainedSession>;
