// Schema of an explanation: destination of a request, and the reasons. Thread: main.

import { z } from 'zod';
import { availability } from './endpoint-schemas.ts';
import { locality } from './reply-schemas.ts';

const amount = z.number().min(0);
const fields = z.array(z.strictObject({ name: z.string(), value: z.string() }));

const request = z.strictObject({
  method: z.string(),
  target: z.string().describe('Path and query, as they would stand in the request line.'),
  host: z.string(),
  fields,
  peer: z.string().describe('Address of who connects; empty on a Unix socket.'),
  client: z.string().describe('Address of the client, seen through proxies that the listener trusts.'),
  isTrusted: z.boolean().describe('Whether the X-Forwarded-* of the peer count.'),
});

export const explainedListener = z.strictObject({
  name: z.string(),
  tls: z.boolean(),
  because: z.string(),
  proxyProtocol: z
    .strictObject({ trusted: z.array(z.string()), others: z.enum(['close', 'direct']) })
    .nullable()
    .describe('Whose PROXY protocol headers name the client; null where connections begin without one.'),
});

const path = z.strictObject({
  matched: z.string().describe('Normalized path, with which routes are compared.'),
  readings: z
    .array(z.strictObject({ path: z.string(), route: z.string().nullable() }))
    .describe('Paths that servers may read in it, with the route of each; empty where there is one.'),
});

const PARTS = ['listener', 'host', 'path', 'method', 'header', 'query', 'cookie', 'client', 'protocol', 'not'] as const;

const verdict = z.strictObject({
  name: z.string(),
  position: z.int().min(1).describe('In the order of the file.'),
  verdict: z
    .enum(['matched', 'behind', ...PARTS])
    .describe('`behind`: it matches too, but one above was first. Else the first part that does not match.'),
  wanted: z
    .array(z.string())
    .describe(
      'Values that this part of the match requires; for `not` those that exclude the request; empty where it matches.',
    ),
  had: z.string().describe('What the request has there.'),
  origin: z.string().nullable().describe('Object of a provider that defines the route; null for the file.'),
});

const action = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('upstream'), upstream: z.string() }),
  z.strictObject({ kind: z.literal('respond'), status: z.int(), contentType: z.string(), bodyBytes: amount }),
  z.strictObject({ kind: z.literal('redirect'), status: z.int(), location: z.string() }),
  z.strictObject({
    kind: z.literal('files'),
    root: z.string(),
    file: z
      .string()
      .nullable()
      .describe(
        'Below the root; with a slash at the end for a directory, which is redirected to; null where it is 404.',
      ),
  }),
  z.strictObject({ kind: z.enum(['no-route', 'ambiguous-path', 'no-host']), status: z.int(), code: z.string() }),
]);

const candidate = z.strictObject({
  name: z.string(),
  availability,
  backup: z.boolean(),
  origin: z.string().describe('As of the endpoint itself.'),
  zone: z.string(),
  role: z
    .enum(['usable', 'suspect', 'last-resort', 'other-tier', 'out'])
    .describe('What a first try may do with it; `last-resort`: only a retry that has nobody else left.'),
  weight: amount,
  weightShare: amount.describe('What it carries of its weight now.'),
  inFlight: amount,
  limit: amount.describe('Most in flight; 0 is none.'),
  load: z.number().nullable().describe('What the balancer compares, least first; null where it compares none.'),
});

const CHOOSERS = ['sticky-cookie', 'balancer', 'suspect', 'nobody'] as const;

const choice = z.strictObject({
  endpoint: z.string().nullable(),
  by: z.enum(CHOOSERS),
  because: z.string(),
  isByChance: z.boolean().describe('Whether the next request like it may go elsewhere though nothing has changed.'),
  equals: z.array(z.string()).describe('Endpoints with the same least load, where there are several.'),
  trial: z.string().nullable().describe('A suspect that one such request in 100 ms is sent to, to find out.'),
});

export const explainedUpstream = z.strictObject({
  name: z.string(),
  balance: z.string(),
  tier: z.enum(['primary', 'backup', 'both']),
  whenAllDown: z.enum(['fail', 'try-all', 'wait']),
  queued: amount,
  locality: locality.nullable(),
  hashKey: z.strictObject({ from: z.string(), value: z.string().describe('Empty: the request has none.') }).nullable(),
  sticky: z
    .strictObject({
      cookie: z.string(),
      leadsTo: z.string().nullable().describe('Null where the request has no valid cookie.'),
    })
    .nullable(),
  candidates: z.array(candidate),
  choice,
});

const plan = z.strictObject({
  mayRepeat: z.boolean().describe('Whether the request may be sent again after an endpoint has seen it.'),
  retries: amount.describe('Tries after the first.'),
  verdicts: z.array(
    z.strictObject({ failure: z.string(), verdict: z.string().describe('As in the access log, at the first try.') }),
  ),
  statuses: z.array(z.int()),
  budget: z.strictObject({
    ratio: z.number(),
    perSecond: amount,
    held: z.number().describe('Retries that it would allow now.'),
  }),
  bufferBytes: amount,
  timeouts: z.strictObject({
    queueMs: amount,
    connectMs: amount,
    responseMs: amount,
    tryMs: amount.describe('Of one try, where another may follow; 0 is none.'),
    idleMs: amount,
  }),
  hedge: z.strictObject({ afterMs: amount, percentile: z.number() }).nullable(),
  maxQueue: amount,
  priority: z.enum(['critical', 'default', 'sheddable']),
});

const changedFields = z.strictObject({
  host: z.string().describe('What the endpoint gets as Host.'),
  toEndpoint: fields.describe('Set, in place of what the client sent under these names.'),
  notToEndpoint: z.array(z.string()).describe('Names of fields of the client that are left out.'),
  toClient: fields,
  notToClient: z.array(z.string()),
});

export const explainedPolicy = z.strictObject({
  name: z.string(),
  scope: z.enum(['listener', 'route', 'upstream']).describe('Where it is configured.'),
  stage: z.string().describe('When it runs: docs/policies.md.'),
  needs: z.array(z.string()).describe('What it does beyond reading heads and editing fields.'),
  effect: z.string().describe('What it would do with the request now; empty where it does not depend on the request.'),
});

const passage = z.strictObject({
  passes: z.boolean(),
  because: z.string().describe('The reason where it does not pass, or a condition; else empty.'),
});

const protocols = z.strictObject({
  listener: z.array(z.enum(['http2', 'http1'])).describe('Versions of HTTP that clients may use on the listener.'),
  endpoint: z.enum(['http1', 'http2', 'auto', 'tcp']).nullable().describe('Protocol of requests to the endpoints.'),
  grpc: passage.describe('Whether a gRPC call could take this path.'),
  websocket: passage.describe('Whether a WebSocket could take this path.'),
});

export const explained = z.strictObject({
  generation: amount.describe('Of the configuration; 0 where it is of a file.'),
  request,
  listener: explainedListener,
  protocols,
  path,
  routes: z.array(verdict).describe('All, in the order of the file.'),
  route: z.string().nullable(),
  action,
  sentTarget: z.string().nullable().describe('Path and query that the endpoint gets; null where no endpoint gets any.'),
  upstream: explainedUpstream.nullable(),
  plan: plan.nullable(),
  fields: changedFields.nullable(),
  policies: z.array(explainedPolicy).describe('Policies that act on the request, in the order in which it meets them.'),
});
export type ExplainReply = z.output<typeof explained>;

/** The request to explain. */
export interface ExplainQuery {
  readonly url: string;
  readonly method: string;
  /** `Name: value`. */
  readonly headers: readonly string[];
  /** Address of the peer. */
  readonly client: string;
  /** Null selects the listener by the URL's scheme and port. */
  readonly listener: string | null;
  /** Protocols that the client of a TLS session offers by ALPN. */
  readonly alpn?: readonly string[];
}

/** The request cannot be explained; the message gives the reason. */
export class ExplainError extends Error {
  override readonly name = 'ExplainError';
}
