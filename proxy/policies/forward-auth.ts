// Policy: a service decides about each request, as in nginx's auth_request and Traefik's ForwardAuth. 2xx lets the request
// pass, with fields of the answer; 3xx and 4xx go to the client; without an answer the request is refused. Thread: both.

import type { FieldList } from '../../core/head.ts';
import type { OptionSchemas, OptionsOf } from '../../core/option-schema.ts';
import type { Policy, PolicyAnswer, PolicyExchange } from '../../core/policy/policy.ts';
import type { CompileContext, CreateContext } from '../../core/policy/policy-definition.ts';
import { AuthClient, type AuthReply } from './auth-client.ts';
import { builtIn } from './built-in.ts';
import { reasonAgainstEdit } from './editable-fields.ts';
import { insertedFieldsOf } from './forwarding-fields.ts';

const LONGEST_MS = 60_000;
/** Between two lines about failures in one worker. */
const LOG_EVERY_MS = 10_000;
const METHOD = 'X-Forwarded-Method';
const URI = 'X-Forwarded-Uri';

/** Data of the policy in a Snapshot. Names are in lower case. */
export interface ForwardAuthData {
  readonly forwardAuth: {
    readonly url: string;
    /** Null for all. */
    readonly copyRequest: readonly string[] | null;
    readonly copyResponse: readonly string[];
    readonly copyToClient: readonly string[];
    readonly trustsForwardFields: boolean;
    readonly timeoutMs: number;
    readonly allowsOnFailure: boolean;
    readonly connections: number;
  };
}

export const forwardAuth = builtIn({
  name: 'forward-auth',
  scope: 'route',
  stage: 'authorize',
  needs: ['reply', 'wait'],
  waitMs: LONGEST_MS + 5000,
  options: (schemas) => ({ forwardAuth: forwardAuthOptions(schemas).optional() }),
  compile: ({ forwardAuth: options }, context): ForwardAuthData | null =>
    options === undefined ? null : { forwardAuth: compileAuth(options, context) },
  create: ({ forwardAuth: data }, context) => new AuthorizedRoute(data, context),
  explain: ({ forwardAuth: { url } }) => `sends the head to ${url}, which decides`,
});

function forwardAuthOptions({ z, text, fieldName, duration, count }: OptionSchemas) {
  const names = () => z.array(fieldName()).meta({ expects: 'a list of names of header fields', example: '[X-User]' });
  return z
    .strictObject({
      url: text(parseUrl, { expects: 'an http or https URL', example: 'http://127.0.0.1:4180/oauth2/auth' }).describe(
        'Service that decides: it gets a GET with the fields of the request.',
      ),
      copyRequest: names().describe('Request fields that the service gets; all if absent.').optional(),
      copyResponse: names()
        .default([])
        .describe("Fields of its 2xx answer that the endpoint gets. The client's own of these names are removed."),
      copyToClient: names()
        .default([])
        .describe('Fields of its 2xx answer that the client gets, such as `Set-Cookie` of a renewed session.'),
      trustForwardFields: z
        .boolean()
        .default(false)
        .describe('Whether `X-Forwarded-Method` and `X-Forwarded-Uri` of a trusted proxy are kept.'),
      timeout: duration().prefault('5s').describe('Time for its answer, at most 1m.'),
      onFailure: z
        .enum(['refuse', 'allow'])
        .default('refuse')
        .describe('Requests without a decision: `refuse` answers 503, `allow` lets them pass unchecked.'),
      connections: count(1, 1000).default(64).describe('Connections to the service from each worker.'),
    })
    .meta({ expects: 'a mapping with url', example: '{ url: "http://127.0.0.1:4180/oauth2/auth" }' })
    .describe('Has a service decide about each request (as auth_request in nginx and ForwardAuth in Traefik).');
}

function parseUrl(text: string): { ok: true; value: string } | { ok: false; message: string } {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isHttp = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.hash === '';
  if (isHttp) return { ok: true, value: url.href };
  return { ok: false, message: `${JSON.stringify(text)} is not an http or https URL without user and fragment` };
}

type ForwardAuthOptions = NonNullable<OptionsOf<{ forwardAuth: ReturnType<typeof forwardAuthOptions> }>['forwardAuth']>;

function compileAuth(options: ForwardAuthOptions, { report }: CompileContext): ForwardAuthData['forwardAuth'] {
  const { url, copyRequest, copyResponse, copyToClient, timeout, onFailure, connections } = options;
  for (const [key, direction] of [
    ['copyResponse', 'request'],
    ['copyToClient', 'response'],
  ] as const) {
    for (const [index, name] of options[key].entries()) {
      const reason = reasonAgainstEdit(name.toLowerCase(), direction);
      if (reason === null) continue;
      report({
        code: 'FL3009',
        path: ['forwardAuth', key, index],
        message: `the field ${name} cannot be set: ${reason}`,
      });
    }
  }
  if (timeout > LONGEST_MS) {
    report({ code: 'FL3008', path: ['forwardAuth', 'timeout'], message: 'the timeout of forwardAuth is at most 1m' });
  }
  const lower = (names: readonly string[]): string[] => names.map((name) => name.toLowerCase());
  return {
    url,
    copyRequest: copyRequest === undefined ? null : lower(copyRequest),
    copyResponse: lower(copyResponse),
    copyToClient: lower(copyToClient),
    trustsForwardFields: options.trustForwardFields,
    timeoutMs: timeout,
    allowsOnFailure: onFailure === 'allow',
    connections,
  };
}

/** Memo of an exchange: a new object for each, by which a late answer finds out whether the exchange is still the same. */
interface Decision {
  toClient: FieldList;
}

class AuthorizedRoute implements Policy {
  readonly onResponse?: (exchange: PolicyExchange) => undefined;
  readonly #data: ForwardAuthData['forwardAuth'];
  readonly #context: CreateContext;
  readonly #client: AuthClient;
  #loggedMs = Number.NEGATIVE_INFINITY;

  constructor(data: ForwardAuthData['forwardAuth'], context: CreateContext) {
    this.#data = data;
    this.#context = context;
    this.#client = new AuthClient(data);
    if (data.copyToClient.length > 0) this.onResponse = addFields;
  }

  onRequest(exchange: PolicyExchange): Promise<PolicyAnswer> {
    const fields = this.#fieldsFor(exchange);
    // Before the wait, and whatever the answer is: an endpoint takes these fields for those of the service.
    for (const name of this.#data.copyResponse) exchange.removeRequestField(name);
    const decision: Decision = { toClient: [] };
    exchange.memo = decision;
    const startMs = performance.now();
    return this.#client.get(fields).then(
      (reply) => {
        const isDecision = reply.status >= 200 && reply.status < 500;
        this.#context.called(performance.now() - startMs, !isDecision);
        if (!isDecision) return this.#failed(`it answered ${reply.status}`);
        // The exchange may have ended, and its object may serve another one.
        if (exchange.memo !== decision) return undefined;
        return reply.status < 300 ? this.#pass(exchange, reply, decision) : replyOf(reply);
      },
      (error: Error) => {
        this.#context.called(performance.now() - startMs, true);
        return this.#failed(error.message);
      },
    );
  }

  dispose(): void {
    this.#client.close();
  }

  #fieldsFor(exchange: PolicyExchange): string[] {
    const { copyRequest, trustsForwardFields } = this.#data;
    const { request, connection } = exchange;
    const own = [...insertedFieldsOf(exchange, false, [])];
    const isKept = trustsForwardFields && connection.isTrusted;
    own.push(METHOD, (isKept && request.field('x-forwarded-method')) || request.method);
    own.push(URI, (isKept && request.field('x-forwarded-uri')) || request.target);
    const names = new Set(own.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()));
    const given = request.endToEndFields();
    for (let at = 0; at < given.length; at += 2) {
      const name = given[at]!.toLowerCase();
      // The body is not sent: its length and the wish for a 100 would be wrong.
      if (names.has(name) || name === 'content-length' || name === 'expect') continue;
      if (copyRequest === null || copyRequest.includes(name)) own.push(given[at]!, given[at + 1]!);
    }
    return own;
  }

  #pass(exchange: PolicyExchange, reply: AuthReply, decision: Decision): undefined {
    for (const name of this.#data.copyResponse) {
      const value = valuesOf(reply, name).join(', ');
      if (value !== '') exchange.setRequestField(name, value);
    }
    decision.toClient = this.#data.copyToClient.flatMap((name) =>
      valuesOf(reply, name).flatMap((value) => [name, value]),
    );
  }

  #failed(reason: string): PolicyAnswer {
    const { log, owner, services } = this.#context;
    const { url, allowsOnFailure } = this.#data;
    const nowMs = services.nowMs();
    if (nowMs - this.#loggedMs >= LOG_EVERY_MS) {
      this.#loggedMs = nowMs;
      const effect = allowsOnFailure ? 'requests pass unchecked' : 'requests are refused';
      log.warn({ route: owner, url, reason }, `forwardAuth of route ${owner} has no decision: ${reason}; ${effect}`);
    }
    return allowsOnFailure ? undefined : { cause: 'auth-unavailable' };
  }
}

function valuesOf({ fields }: AuthReply, name: string): string[] {
  return fields.filter((_, at) => at % 2 === 1 && fields[at - 1]!.toLowerCase() === name);
}

/** The answer for the client, without what belongs to the connection to the service. */
function replyOf({ status, fields, body }: AuthReply): PolicyAnswer {
  const isKept = (name: string): boolean => reasonAgainstEdit(name.toLowerCase(), 'response') === null;
  return { status, fields: fields.filter((_, at) => isKept(fields[at & ~1]!)), body };
}

function addFields(exchange: PolicyExchange): undefined {
  const { toClient } = (exchange.memo as Decision | undefined) ?? { toClient: [] };
  for (let at = 0; at < toClient.length; at += 2) exchange.addResponseField(toClient[at]!, toClient[at + 1]!);
}
