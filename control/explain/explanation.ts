// Explanation of a request's path, for `fairlead explain` and the admin API. Every decision comes from the code that serves
// traffic (router, picker, sticky cookies, reservation, retry verdicts, forwarding fields). Thread: main.

import { ExplainError, type ExplainQuery, type ExplainReply } from '../../admin/api/explain-schemas.ts';
import type { SessionReply } from '../../admin/api/explain-session-schemas.ts';
import { compile, newTables } from '../../config/compile/compile.ts';
import type { Origins } from '../../config/include/provided-files.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import { cookieValue } from '../../core/cookie.ts';
import type { RequestHead } from '../../core/head.ts';
import { copyRecords, Region } from '../../core/memory/region.ts';
import type { BoundListener } from '../../core/messages.ts';
import { matchText, namedText, pathText } from '../../core/match-text.ts';
import type { Random } from '../../core/random.ts';
import type { ExplainedExchange, PolicyScope } from '../../core/policy/policy-definition.ts';
import { POLICY_STAGES } from '../../core/policy/policy-stage.ts';
import type { PolicySnapshot } from '../../core/snapshot/policy.ts';
import type { NamedMatch, OtherConditions, RouteMatch, RouteSnapshot } from '../../core/snapshot/route.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import type { TemplateFacts } from '../../core/template-values.ts';
import { clientAddressOf } from '../../proxy/exchange/client-address.ts';
import { overridden } from '../../proxy/exchange/route-overrides.ts';
import { headerEditsOf } from '../../proxy/policies/header-edits.ts';
import { insertedFieldsOf, REPLACED_NAMES, sendsForwarded } from '../../proxy/policies/forwarding-fields.ts';
import { trustedOnlyFor } from '../../proxy/downstream/trusted-only-fields.ts';
import { isGrpc } from '../../core/grpc-status.ts';
import { ConfiguredAnswers } from '../../proxy/exchange/configured-answers.ts';
import { rewriteOf } from '../../proxy/policies/rewrite.ts';
import { REPLY_CAUSES } from '../../proxy/exchange/local-reply.ts';
import { type AnyBuiltInPolicy, POLICIES } from '../../proxy/policies/registry.ts';
import { openBudget } from '../../proxy/placement/retry-budget.ts';
import { isHedgeable, isIdempotentRequest } from '../../proxy/placement/retry-verdict.ts';
import {
  factsOf,
  firstMismatch,
  type MatchPart,
  protocolsOf,
  type RoutingFacts,
} from '../../proxy/routing/route-match.ts';
import { AMBIGUOUS_PATH, NormalizedRoute, routeOf, Router, type RoutingResult } from '../../proxy/routing/router.ts';
import type { SnapshotConsumer } from '../snapshot-owner.ts';
import { explainedListener } from './explained-listener.ts';
import { explainPick } from './explained-pick.ts';
import { explainPlan } from './explained-plan.ts';
import { explainProtocols } from './explained-protocols.ts';
import { type ExplainedRequest, requestOf, explainedFile } from './explained-request.ts';
import { explainSession, isSessionUrl } from './explained-session.ts';
import type { ExplainFacts } from './explanation-facts.ts';

export interface ExplainerParts {
  readonly region: Region;
  readonly clock: Clock;
  readonly random: Random;
  readonly bound: () => readonly BoundListener[];
  readonly origins: () => Origins | null;
}

/** Explains requests by the Snapshot that runs. */
export class Explainer implements SnapshotConsumer {
  readonly #parts: ExplainerParts;
  #snapshot: Snapshot | null = null;

  constructor(parts: ExplainerParts) {
    this.#parts = parts;
  }

  apply(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
  }

  amend(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
  }

  stop(): void {
    this.#snapshot = null;
  }

  /** @throws ExplainError for a request that no client could send */
  explain(query: ExplainQuery): ExplainReply | SessionReply {
    const { bound, region, clock, random, origins } = this.#parts;
    if (this.#snapshot === null) throw new ExplainError('no configuration runs');
    const ports = new Map(bound().map(({ name, port }) => [name, port]));
    return explainAny(query, { snapshot: this.#snapshot, origins: origins(), region, ports, clock, random });
  }
}

/** Explains a request by a configuration file that doesn't run: every endpoint counts as up and idle. @throws ExplainError */
export function explainFile(query: ExplainQuery, config: LoadedConfig, random: Random): ExplainReply | SessionReply {
  const { listeners, upstreams } = config.settings;
  const endpoints = Object.values(upstreams).reduce((sum, upstream) => sum + upstream.endpoints.length, 0);
  const counts = { endpoints, upstreams: Object.keys(upstreams).length, listeners: listeners.length };
  const snapshot = compile(config, newTables(counts), 0);
  const region = Region.allocate({ ...counts, workers: 1 }, 0);
  for (const upstream of snapshot.upstreams) openBudget(region, upstream.index, upstream.retry);
  const ports = snapshot.listeners.flatMap(({ name, bind }) =>
    bind.kind === 'tcp' ? [[name, bind.port] as const] : [],
  );
  const clock = { nowMs: () => 0, wallMs: () => systemClock.wallMs() };
  return explainAny(query, { snapshot, origins: config.origins, region, ports: new Map(ports), clock, random });
}

function explainAny(query: ExplainQuery, facts: ExplainFacts): ExplainReply | SessionReply {
  if (isSessionUrl(query.url)) return explainSession(query, facts);
  if ((query.alpn ?? []).length > 0) throw new ExplainError('ALPN is for TCP sessions: write tls://name:port');
  return explain(query, facts);
}

/** @throws ExplainError for a request that no client could send */
export function explain(query: ExplainQuery, facts: ExplainFacts): ExplainReply {
  const { snapshot } = facts;
  const request = requestOf(query, snapshot, facts.ports);
  const { head, connection, listener } = request;
  const router = new Router(snapshot.routes, snapshot.listeners);
  const client = clientAddressOf(connection, head.field('x-forwarded-for'), request.isTrusted);
  const routing = factsOf(head, listener.name, client);
  const result = router.find(head, listener.name, client);
  const route = routeOf(result);
  const values = valuesOf(request, route, client, snapshot);
  const upstream = upstreamOf(route, snapshot);
  return {
    generation: snapshot.revision,
    request: {
      method: head.method,
      target: head.target,
      host: head.authority,
      fields: pairsOf(head.endToEndFields()),
      peer: connection.peerAddress,
      client,
      isTrusted: connection.isTrusted,
    },
    listener: explainedListener(listener, request.because),
    protocols: explainProtocols(listener, upstream, snapshot.fastPath),
    path: {
      matched: routing.path,
      readings: router.readings(routing).map((one) => ({ path: one.path, route: one.route?.name ?? null })),
    },
    routes: routesOf(router, route, routing, facts.origins),
    route: route?.name ?? null,
    action: forClient(
      head,
      route === null
        ? refusalOf(result === AMBIGUOUS_PATH ? 'ambiguous-path' : 'no-route')
        : actionOf(route, result instanceof NormalizedRoute ? result.target : head.target, snapshot, values),
    ),
    sentTarget:
      route?.action.kind === 'upstream'
        ? rewriteOf(route, targetOf(result, head), { connection, request: head }).target
        : null,
    policies: policiesOf(request, route, snapshot, values),
    ...(route === null ? NOTHING : forwardingOf(request, route, client, facts)),
  };
}

/** The request before an endpoint is chosen. */
function valuesOf(
  { connection, head }: ExplainedRequest,
  route: RouteSnapshot | null,
  clientAddress: string,
  snapshot: Snapshot,
): ExplainedExchange {
  const given = connection.isTrusted ? head.field('x-request-id') : undefined;
  return {
    connection,
    request: head,
    requestId: given ?? '(a new one)',
    clientAddress,
    routeName: route?.name ?? '',
    upstreamName: upstreamOf(route, snapshot)?.name ?? '',
    endpoint: null,
  };
}

function upstreamOf(route: RouteSnapshot | null, { upstreams }: Snapshot): UpstreamSnapshot | null {
  const action = route?.action;
  return action?.kind === 'upstream' ? upstreams.find(({ index }) => index === action.upstream)! : null;
}

const NOTHING = { upstream: null, plan: null, fields: null };

function forwardingOf(request: ExplainedRequest, route: RouteSnapshot, clientAddress: string, facts: ExplainFacts) {
  const configured = upstreamOf(route, facts.snapshot);
  if (configured === null) return NOTHING;
  const upstream = overridden(configured, route.overrides);
  const { clock, random } = facts;
  const { head } = request;
  const region = copyRecords(facts.region);
  const isIdempotent = isIdempotentRequest(head);
  const times = { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
  const plan = explainPlan({ upstream, route, region, isIdempotent, isHedgeable: isHedgeable(head) });
  const pick = explainPick({ upstream, region, random, head, clientAddress, mayRepeat: isIdempotent, ...times });
  const endpoint = upstream.endpoints.find(({ id }) => id === pick.choice.endpoint) ?? null;
  const from = { clientAddress, routeName: route.name, upstreamName: upstream.name, endpoint };
  const policies = [...route.policies, ...upstream.policies];
  return { upstream: pick, plan, fields: fieldsOf(request, { ...route, policies }, from) };
}

/** A gRPC client gets everything but a success as a gRPC status, with HTTP 200 and no body (docs/grpc.md). */
function forClient(head: RequestHead, action: ExplainReply['action']): ExplainReply['action'] {
  if (!('status' in action) || action.status < 300 || !isGrpc(head)) return action;
  return 'bodyBytes' in action ? { ...action, status: 200, bodyBytes: 0 } : { ...action, status: 200 };
}

function refusalOf(kind: 'no-route' | 'ambiguous-path' | 'no-host'): ExplainReply['action'] {
  const { status, code } = REPLY_CAUSES[kind];
  return { kind, status, code };
}

function actionOf(
  { action }: RouteSnapshot,
  target: string,
  { upstreams }: Snapshot,
  values: TemplateFacts,
): ExplainReply['action'] {
  if (action.kind === 'upstream') {
    return { kind: 'upstream', upstream: upstreams.find(({ index }) => index === action.upstream)!.name };
  }
  if (action.kind === 'files') {
    return { kind: 'files', root: action.files.root, file: explainedFile(target, action.files) };
  }
  const reply = new ConfiguredAnswers().replyOf(action, values, []);
  if (reply === null) return refusalOf('no-host');
  const { kind, status } = action;
  if (kind === 'redirect') return { kind, status, location: reply.fields[1]! };
  return { kind, status, contentType: action.contentType, bodyBytes: reply.body.byteLength };
}

function routesOf(
  router: Router,
  taken: RouteSnapshot | null,
  facts: RoutingFacts,
  origins: Origins | null,
): ExplainReply['routes'] {
  return router.verdicts(facts).map(({ route, mismatch }, index) => {
    const verdict = route === taken ? 'matched' : (mismatch ?? 'behind');
    const lost = mismatch === null ? { wanted: [], had: '' } : differenceOf(mismatch, route.match, facts);
    const origin = origins?.routes[route.name] ?? null;
    return { name: route.name, position: index + 1, verdict, ...lost, origin };
  });
}

/** The values that a part of a match requires, and those of the request. */
function differenceOf(part: MatchPart, match: RouteMatch, facts: RoutingFacts): { wanted: string[]; had: string } {
  const { head } = facts;
  switch (part) {
    case 'listener':
      return { wanted: [...match.listeners], had: facts.listenerName };
    case 'host':
      return { wanted: [...match.hosts], had: facts.host };
    case 'path':
      return { wanted: match.paths.map(pathText), had: facts.path };
    case 'method':
      return { wanted: [...match.methods], had: head.method };
    case 'header':
      return { wanted: match.headers.map(namedText), had: hadFields(match.headers, head) };
    case 'query':
      return { wanted: match.query.map(namedText), had: facts.query };
    default:
      return otherDifferenceOf(part, match.others!, facts);
  }
}

function otherDifferenceOf(
  part: 'cookie' | 'client' | 'protocol' | 'not',
  others: OtherConditions,
  facts: RoutingFacts,
): { wanted: string[]; had: string } {
  switch (part) {
    case 'cookie':
      return { wanted: others.cookies.map(namedText), had: hadCookies(others.cookies, facts.head) };
    case 'client':
      return { wanted: [...others.clients], had: facts.clientAddress };
    case 'protocol':
      return { wanted: [...others.protocols], had: protocolsOf(facts.head).join(', ') };
    case 'not': {
      const excluding = others.not.filter((unwanted) => firstMismatch(unwanted, facts) === null);
      return { wanted: excluding.map(matchText), had: '' };
    }
    default:
      return part satisfies never;
  }
}

function hadCookies(wanted: readonly NamedMatch[], head: RequestHead): string {
  const field = head.field('cookie');
  const had = wanted.map(({ name }) => [name, cookieValue(field, name)] as const);
  return had.flatMap(([name, value]) => (value === undefined ? [] : `${name}: ${value}`)).join(', ');
}

function hadFields(wanted: readonly NamedMatch[], head: RequestHead): string {
  const had = wanted.map(({ name }) => [name, head.field(name)] as const);
  return had.flatMap(([name, value]) => (value === undefined ? [] : `${name}: ${value}`)).join(', ');
}

/** In the order of requests: responses meet them in reverse. */
function policiesOf(
  { listener }: ExplainedRequest,
  route: RouteSnapshot | null,
  snapshot: Snapshot,
  exchange: ExplainedExchange,
): ExplainReply['policies'] {
  const upstream = upstreamOf(route, snapshot);
  const of = (scope: PolicyScope, policies: readonly PolicySnapshot[]) =>
    policies.map((policy) => {
      const { name, stage, needs } = policy;
      return { name, scope, stage, needs: [...needs], effect: effectOf(policy, exchange) };
    });
  const all = [
    ...of('listener', listener.policies),
    ...of('route', route?.policies ?? []),
    ...of('upstream', upstream?.policies ?? []),
  ];
  return all.toSorted((a, b) => POLICY_STAGES.indexOf(a.stage) - POLICY_STAGES.indexOf(b.stage));
}

/** Effect of a built-in policy on the request; '' for one of a plugin. */
function effectOf({ name, data }: PolicySnapshot, exchange: ExplainedExchange): string {
  const policy = (POLICIES as readonly unknown[] as readonly AnyBuiltInPolicy[]).find((one) => one.name === name);
  return policy?.explain(data, exchange) ?? '';
}

/** The target that policies of the route get. */
function targetOf(result: RoutingResult, head: RequestHead): string {
  return result instanceof NormalizedRoute ? result.target : head.target;
}

function fieldsOf(
  { head, connection, listener }: ExplainedRequest,
  route: RouteSnapshot,
  from: Pick<TemplateFacts, 'clientAddress' | 'routeName' | 'upstreamName' | 'endpoint'>,
) {
  const requestId = head.field('x-request-id');
  const facts = {
    ...from,
    connection,
    request: head,
    requestId: connection.isTrusted && requestId !== undefined ? requestId : '(a new one)',
  };
  const { requestHeaders, responseHeaders } = headerEditsOf(route.policies, facts);
  const set = [...rewriteOf(route, head.target, facts).fields, ...requestHeaders.set];
  const inserted = insertedFieldsOf(facts, sendsForwarded(listener), set);
  const names = [...REPLACED_NAMES, ...requestHeaders.remove, ...pairsOf(set).map(({ name }) => name)];
  const removed = new Set(names.map((name) => name.toLowerCase()));
  const { hostField } = route;
  const trustedOnly = trustedOnlyFor(listener, connection);
  const isRemoved = (name: string): boolean => removed.has(name) || (trustedOnly?.has(name) ?? false);
  const present = pairsOf(head.endToEndFields()).map(({ name }) => name);
  return {
    host:
      hostField.kind === 'endpoint'
        ? (from.endpoint?.id ?? '')
        : hostField.kind === 'fixed'
          ? hostField.value
          : head.authority,
    toEndpoint: pairsOf(inserted),
    notToEndpoint: present.filter((name) => isRemoved(name.toLowerCase())),
    toClient: pairsOf(responseHeaders.set),
    notToClient: [...responseHeaders.remove],
  };
}

function pairsOf(list: readonly string[]): { name: string; value: string }[] {
  return list.flatMap((name, at) => (at % 2 === 0 ? [{ name, value: list[at + 1]! }] : []));
}
