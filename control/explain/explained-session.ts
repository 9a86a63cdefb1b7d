// Explanation of a TCP session's path: listener, route, policies, and the pick, by the code that serves sessions.
// Thread: main.

import { isIP } from 'node:net';
import type { SessionReply } from '../../admin/api/explain-session-schemas.ts';
import { ExplainError, type ExplainQuery } from '../../admin/api/explain-schemas.ts';
import { canonicalAddress } from '../../core/address.ts';
import type { RequestHead } from '../../core/head.ts';
import { tcpMatchText } from '../../core/match-text.ts';
import { copyRecords } from '../../core/memory/region.ts';
import type { ListenerSnapshot, TlsSnapshot } from '../../core/snapshot/listener.ts';
import type { PolicySnapshot } from '../../core/snapshot/policy.ts';
import type { TcpRouteSnapshot } from '../../core/snapshot/route.ts';
import type { UpstreamSnapshot } from '../../core/snapshot/upstream.ts';
import { allows } from '../../proxy/downstream/tcp/session-access.ts';
import { overridden } from '../../proxy/exchange/route-overrides.ts';
import { retryVerdict } from '../../proxy/placement/retry-verdict.ts';
import { type SessionFacts, type TcpMatchPart, TcpRouter } from '../../proxy/routing/tcp-router.ts';
import { explainedListener } from './explained-listener.ts';
import { explainPick } from './explained-pick.ts';
import type { BoundPorts } from './explained-request.ts';
import type { ExplainFacts } from './explanation-facts.ts';

const URL_FORM = /^(tcp|tls):\/\/(?:\[([\da-f:.]+)\]|([^\s/:?#[\]]*))(?::(\d{1,5}))?\/?$/i;

/** A session has no head: nothing of it can be hashed. */
const NO_HEAD: RequestHead = {
  method: '',
  target: '',
  authority: '',
  version: '1.1',
  bodyLength: 0,
  field: () => undefined,
  endToEndFields: () => [],
};

interface Target {
  readonly isTls: boolean;
  /** Lower case; '' for an address. */
  readonly serverName: string;
  /** 0 for none. */
  readonly port: number;
}

/** Whether a query is about a session. */
export function isSessionUrl(url: string): boolean {
  return /^(?:tcp|tls):/i.test(url);
}

/** @throws ExplainError for a session that no client could begin */
export function explainSession(query: ExplainQuery, facts: ExplainFacts): SessionReply {
  const { snapshot } = facts;
  const { alpn = [] } = query;
  const target = targetOf(query);
  const { listener, because } = listenerFor(target, query.listener, snapshot.listeners, facts.ports);
  const client = query.client === '' ? '' : canonicalAddress(query.client);
  const protocols = protocolsFor(listener, alpn);
  const { serverName } = target;
  const session = { listenerName: listener.name, clientAddress: client, serverName, protocols };
  const router = new TcpRouter(snapshot.tcpRoutes);
  const isNamed = listener.tls === null || isCovered(serverName, listener.tls);
  const isAgreed = protocols.length > 0 || alpn.length === 0 || (listener.tls?.alpn ?? []).length === 0;
  const route = isNamed && isAgreed && allows(listener.policies, client) ? router.find(session) : null;
  const isServed = route !== null && allows(route.policies, client);
  const upstream = isServed ? upstreamOf(route, snapshot.upstreams) : null;
  return {
    generation: snapshot.revision,
    session: {
      tls: listener.tls !== null ? 'terminated' : target.isTls ? 'passed-on' : 'none',
      serverName,
      alpn: [...protocols],
      client,
    },
    listener: explainedListener(listener, because),
    routes: routesOf(router, route, session),
    route: route?.name ?? null,
    action:
      upstream === null
        ? refusalOf({ listener, route, isNamed, isAgreed, session })
        : { kind: 'upstream', upstream: upstream.name },
    upstream: upstream === null ? null : pickOf(upstream, client, facts),
    plan: upstream === null || route === null ? null : planOf(upstream, route),
    policies: [
      ...policiesOf(listener, 'listener', client),
      ...(route === null ? [] : policiesOf(route, 'route', client)),
    ],
  };
}

function targetOf({ url, headers, client, alpn = [] }: ExplainQuery): Target {
  const parts = URL_FORM.exec(url);
  if (parts === null) throw new ExplainError(`"${url}" is not a session: write tcp://host:port, or tls://name:port`);
  if (headers.length > 0) throw new ExplainError('a TCP session has no header fields: leave them out');
  if (alpn.length > 0 && !/^tls:/i.test(url)) {
    throw new ExplainError(`"${url}" has no TLS, and so no ALPN: write tls://name:port`);
  }
  if (isIP(client) === 0 && client !== '') throw new ExplainError(`"${client}" is not an IP address`);
  const [, scheme = '', , name = '', port = '0'] = parts;
  const isTls = scheme.toLowerCase() === 'tls';
  const isName = isTls && isIP(name) === 0;
  return { isTls, serverName: isName ? name.toLowerCase().replace(/\.$/, '') : '', port: Number(port) };
}

function listenerFor(target: Target, name: string | null, all: readonly ListenerSnapshot[], ports: BoundPorts) {
  const listeners = all.filter(({ mode }) => mode === 'tcp');
  if (listeners.length === 0) throw new ExplainError('no listener has mode: tcp: write http://host/path');
  const names = listeners.map((one) => one.name).join(', ');
  if (name !== null) {
    const named = listeners.find((one) => one.name === name);
    if (named === undefined) throw new ExplainError(`there is no listener ${name} with mode: tcp; there are: ${names}`);
    return { listener: named, because: 'the query names it' };
  }
  const samePort = listeners.find((one) => target.port !== 0 && ports.get(one.name) === target.port);
  if (samePort !== undefined) return { listener: samePort, because: `it listens on port ${target.port}` };
  const fitting = listeners.find(({ tls, readsHello }) => target.isTls && (tls !== null || readsHello));
  const asked = target.port === 0 ? 'the query has no port' : `none of mode: tcp has port ${target.port}`;
  return { listener: fitting ?? listeners[0]!, because: `${asked}: it is the first one that fits` };
}

/** Protocols that routes compare. A listener that terminates TLS prefers its own order, and ignores ALPN without a list. */
function protocolsFor({ tls }: ListenerSnapshot, offered: readonly string[]): readonly string[] {
  if (tls === null) return offered;
  const agreed = tls.alpn?.find((protocol) => offered.includes(protocol));
  return agreed === undefined ? [] : [agreed];
}

/** Whether a strict listener has a certificate for the name. A wildcard stands for one label (RFC 9525 section 6.3). */
function isCovered(name: string, { certificates, isStrict }: TlsSnapshot): boolean {
  if (isStrict !== true) return true;
  const wildcard = `*${name.slice(name.indexOf('.'))}`;
  return certificates.some(({ names }) => {
    return names.some((one) => one.toLowerCase() === name || (name.includes('.') && one.toLowerCase() === wildcard));
  });
}

function upstreamOf(route: TcpRouteSnapshot, upstreams: readonly UpstreamSnapshot[]): UpstreamSnapshot {
  return overridden(upstreams.find(({ index }) => index === route.upstream)!, route.overrides);
}

interface RefusalFacts {
  readonly listener: ListenerSnapshot;
  readonly route: TcpRouteSnapshot | null;
  readonly isNamed: boolean;
  /** Whether the handshake agrees on a protocol, or needs none. */
  readonly isAgreed: boolean;
  readonly session: SessionFacts;
}

function refusalOf({ listener, route, isNamed, isAgreed, session }: RefusalFacts): SessionReply['action'] {
  const { clientAddress, serverName } = session;
  if (!isNamed) {
    const because = `strictSni: no certificate of the listener covers ${serverName === '' ? 'a client without a name' : serverName}`;
    return { kind: 'unknown-name', because };
  }
  if (!isAgreed) {
    return { kind: 'no-protocol', because: `listener ${listener.name} offers ${listener.tls!.alpn!.join(', ')} alone` };
  }
  if (!allows(listener.policies, clientAddress)) {
    return { kind: 'refused', because: `listener ${listener.name} does not allow ${clientAddress}` };
  }
  if (route !== null) return { kind: 'refused', because: `route ${route.name} does not allow ${clientAddress}` };
  return { kind: 'no-route', because: 'no route matches: the connection is closed' };
}

function routesOf(router: TcpRouter, taken: TcpRouteSnapshot | null, facts: SessionFacts): SessionReply['routes'] {
  return router.verdicts(facts).map(({ route, mismatch }, index) => {
    const verdict = route === taken ? 'matched' : (mismatch ?? 'behind');
    const lost = mismatch === null ? { wanted: [], had: '' } : differenceOf(mismatch, route, facts);
    return { name: route.name, position: index + 1, verdict, ...lost };
  });
}

function differenceOf(
  part: TcpMatchPart,
  route: TcpRouteSnapshot,
  facts: SessionFacts,
): { wanted: string[]; had: string } {
  if (part === 'listener') return { wanted: [...route.listeners], had: facts.listenerName };
  if (part === 'serverName') return { wanted: [...route.serverNames], had: facts.serverName };
  if (part === 'alpn') return { wanted: [...route.alpn], had: facts.protocols.join(', ') };
  if (part === 'client') return { wanted: [...route.clients], had: facts.clientAddress };
  return { wanted: route.not.map(tcpMatchText), had: '' };
}

function pickOf(upstream: UpstreamSnapshot, clientAddress: string, { region, random, clock }: ExplainFacts) {
  const times = { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
  const request = { head: NO_HEAD, clientAddress, mayRepeat: true };
  return explainPick({ upstream, region: copyRecords(region), random, ...request, ...times });
}

function planOf({ retry, timeouts, limits, whenAllDown, onDown }: UpstreamSnapshot, { priority }: TcpRouteSnapshot) {
  const sofar = { hasResponseBegun: false, isBodyReplayable: true, retriesSoFar: 0, isIdempotent: true };
  const failure = { kind: 'connect-refused', wasSent: false, mayWait: whenAllDown === 'wait' } as const;
  const { queueMs, connectMs, tunnelMs } = timeouts;
  return {
    retries: retry.attempts,
    verdict: retryVerdict({ ...sofar, ...failure }, retry),
    timeouts: { queueMs, connectMs, tunnelMs },
    maxQueue: limits.maxQueue,
    priority,
    onDown,
  };
}

function policiesOf(
  { policies }: { readonly policies: readonly PolicySnapshot[] },
  scope: 'listener' | 'route',
  client: string,
): SessionReply['policies'] {
  return policies.map((policy) => ({
    name: policy.name,
    scope,
    stage: policy.stage,
    needs: [...policy.needs],
    effect: allows([policy], client) ? 'lets the client pass' : 'refuses the client',
  }));
}
