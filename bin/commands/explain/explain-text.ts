// Renders an explanation as text for a terminal. Pure. Thread: main.

import type { ExplainReply } from '../../../admin/api/explain-schemas.ts';
import type { SessionReply } from '../../../admin/api/explain-session-schemas.ts';
import { percentWords } from '../../../health/record/health-words.ts';
import { plainText } from './why-text.ts';

type Verdict = ExplainReply['routes'][number];
type Upstream = NonNullable<ExplainReply['upstream']>;
type Plan = NonNullable<ExplainReply['plan']>;
type Fields = NonNullable<ExplainReply['fields']>;

/** Candidates beyond a screen are left out; `--json` has all. */
const MOST_CANDIDATES = 40;
const LABEL = 11;

/** The whole explanation, without control characters except line feeds. */
export function explainText(reply: ExplainReply): string {
  const { request, listener, upstream, plan, fields } = reply;
  const lines = [
    `${request.method} ${request.target} for ${request.host}${clientWords(request)}`,
    ...listenerLines(listener),
    label('route', actionWords(reply)),
    ...protocolLines(reply),
    ...pathLines(reply),
    ...routeLines(reply.routes),
    ...policyLines(reply.policies),
    ...(upstream === null ? [] : upstreamLines(upstream)),
    ...(plan === null ? [] : planLines(plan)),
    ...(fields === null ? [] : fieldLines(fields)),
  ];
  return lines.map(plainText).join('\n');
}

export function label(name: string, text: string): string {
  return `${name.padEnd(LABEL)}${text}`;
}

/** The listener, and where it gets the addresses of clients from. */
export function listenerLines({ name, because, proxyProtocol }: ExplainReply['listener']): string[] {
  const first = label('listener', `${name}: ${because}`);
  if (proxyProtocol === null) return [first];
  const { trusted, others } = proxyProtocol;
  const from = trusted.length === 0 ? 'every peer' : trusted.join(', ');
  const rest = others === 'close' ? 'are closed' : 'are served as they are';
  return [first, label('', `PROXY protocol headers of ${from} name the client; other connections ${rest}`)];
}

function clientWords({ peer, client, isTrusted }: ExplainReply['request']): string {
  if (client !== peer) return `, from ${client} by the trusted proxy ${peer}`;
  return peer === '' ? '' : `, from ${peer}${isTrusted ? ', which is trusted' : ''}`;
}

function actionWords({ route, action }: ExplainReply): string {
  switch (action.kind) {
    case 'upstream':
      return `${route} -> upstream ${action.upstream}`;
    case 'respond':
      return `${route} -> answers ${action.status} (${action.contentType}, ${action.bodyBytes} bytes)`;
    case 'redirect':
      return `${route} -> redirects with ${action.status} to ${action.location}`;
    case 'files':
      return `${route} -> ${fileWords(action)}`;
    case 'ambiguous-path':
      return `the path has readings that lead to different routes -> ${action.status} ${action.code}`;
    case 'no-host':
      return `${route} -> ${action.status} ${action.code}: the request names no host`;
    default:
      return `none matches -> ${action.status} ${action.code}`;
  }
}

function fileWords({ root, file }: Extract<ExplainReply['action'], { kind: 'files' }>): string {
  if (file === null) return `no such file below ${root} -> 404 file-missing`;
  return file.endsWith('/') ? `directory ${file} below ${root}: redirects with 301` : `file ${file} below ${root}`;
}

/** Protocols of both sides, where an endpoint serves the request. */
function protocolLines({ protocols }: ExplainReply): string[] {
  const { listener, endpoint, grpc, websocket } = protocols;
  if (endpoint === null) return [];
  const from = listener.map((name) => PROTOCOL_NAMES[name]).join(' or ');
  return [
    label('protocol', `${from} from clients, ${PROTOCOL_NAMES[endpoint]} to endpoints`),
    label('', `${passageWords('gRPC', grpc)}; ${passageWords('WebSocket', websocket)}`),
  ];
}

const PROTOCOL_NAMES = { http1: 'HTTP/1.1', http2: 'HTTP/2', auto: 'what ALPN selects', tcp: 'TCP' } as const;

function passageWords(name: string, { passes, because }: ExplainReply['protocols']['grpc']): string {
  if (passes) return because === '' ? `${name} passes` : `${name} passes ${because}`;
  return `no ${name}: ${because}`;
}

/** How the path was compared, where that isn't as it was received. */
function pathLines({ request, path, action, sentTarget }: ExplainReply): string[] {
  const received = request.target.split('?', 1)[0];
  const readings = action.kind === 'ambiguous-path' ? path.readings : [];
  return [
    ...(path.matched === received ? [] : [label('path', `compared as ${path.matched}`)]),
    ...readings.map((one) => label('', `${one.path} -> ${one.route ?? 'no route'}`)),
    ...(sentTarget === null || sentTarget === request.target ? [] : [label('sent', sentTarget)]),
  ];
}

/** Routes above the matching one, and later routes that would match too. */
export function routeLines(routes: readonly (Verdict | SessionReply['routes'][number])[]): string[] {
  const taken = routes.findIndex(({ verdict }) => verdict === 'matched');
  const shown = routes.filter(({ verdict }, index) => taken < 0 || index <= taken || verdict === 'behind');
  const width = Math.max(0, ...shown.map(({ name }) => name.length));
  return shown.map((route) => {
    return `${String(route.position).padStart(LABEL - 2)}  ${route.name.padEnd(width)}  ${verdictOf(route)}${originWords(route)}`;
  });
}

/** Empty for a route of the file, and for a Fairlead of an earlier version. */
function originWords(route: Verdict | SessionReply['routes'][number]): string {
  const origin = 'origin' in route ? (route.origin ?? null) : null;
  return origin === null ? '' : ` (from ${origin})`;
}

/** Parts of which all values must hold. */
const OF_ALL: ReadonlySet<string> = new Set(['header', 'query', 'cookie']);

function verdictOf({ verdict, wanted, had }: Verdict | SessionReply['routes'][number]): string {
  if (verdict === 'matched') return 'matches, and is the first';
  if (verdict === 'behind') return 'matches too, but a route above was first';
  if (verdict === 'not') return `no, excluded by not: ${wanted.join(' or ')}`;
  return `no, ${verdict}: wants ${wanted.join(OF_ALL.has(verdict) ? ' and ' : ' or ')}, has ${had || 'nothing'}`;
}

/** Policies by scope, in order of execution. */
export function policyLines(policies: ExplainReply['policies']): string[] {
  if (policies.length === 0) return [];
  const texts = policies.map(({ name, scope }) => `${name} (${scope})`);
  const effects = policies.filter(({ effect }) => effect !== '').map(({ name, effect }) => `${name} ${effect}`);
  return [label('policies', texts.join(', ')), ...effects.map((effect) => label('', effect))];
}

export function upstreamLines(upstream: Upstream): string[] {
  const { name, balance, tier, queued, hashKey, sticky, candidates, choice } = upstream;
  const waiting = queued > 0 ? `, ${queued} waiting` : '';
  const shown = candidates.slice(0, MOST_CANDIDATES);
  const rest = candidates.length - shown.length;
  return [
    label('upstream', `${name}: ${balance}, ${tier === 'both' ? 'primaries and backups' : `${tier} tier`}${waiting}`),
    ...localityLines(upstream),
    ...(hashKey === null ? [] : [label('hash key', `${hashKey.from} = ${hashKey.value || '(the request has none)'}`)]),
    ...(sticky === null
      ? []
      : [
          label(
            'cookie',
            `${sticky.cookie} ${sticky.leadsTo === null ? 'is not there, or not valid' : `leads to ${sticky.leadsTo}`}`,
          ),
        ]),
    ...candidateTable(shown, choice.endpoint),
    ...(rest > 0 ? [label('', `and ${rest} more (--json)`)] : []),
    label(
      'choice',
      `${choice.endpoint ?? 'nobody'}: ${choice.because}${choice.isByChance ? ' (may differ each time)' : ''}`,
    ),
    ...(choice.trial === null
      ? []
      : [label('', `or ${choice.trial}, a suspect, with one request in 100 ms as a trial`)]),
  ];
}

/** None where zones don't matter, and for a Fairlead of an earlier version. */
function localityLines({ locality }: Upstream): string[] {
  if ((locality ?? null) === null) return [];
  const { zone, usableShare, share, spillBelowPercent } = locality!;
  const usable = `${percentWords(usableShare)} of its weight is usable`;
  const rule = `requests spill over below ${spillBelowPercent} %`;
  return [label('zone', `${zone}: ${usable}, ${percentWords(share)} of the requests stay in it; ${rule}`)];
}

function candidateTable(candidates: Upstream['candidates'], chosen: string | null): string[] {
  const hasOrigins = candidates.some(({ zone, origin }) => zone !== '' || origin !== 'configured');
  const rows = candidates.map((one) => [
    one.name === chosen ? '>' : '',
    one.name,
    one.availability,
    one.backup ? `${one.role} (backup)` : one.role,
    `${one.weight}${one.weightShare < 1 ? ` x ${one.weightShare}` : ''}`,
    `${one.inFlight}${one.limit > 0 ? `/${one.limit}` : ''}`,
    one.load === null ? '-' : String(one.load),
    ...(hasOrigins ? [one.zone || '-', one.origin] : []),
  ]);
  const head = ['', 'endpoint', 'state', 'role', 'weight', 'in flight', 'load'];
  const table = [[...head, ...(hasOrigins ? ['zone', 'origin'] : [])], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) =>
    `${' '.repeat(LABEL - 2)}${row.map((cell, at) => cell.padEnd(widths[at]!)).join('  ')}`.trimEnd(),
  );
}

function planLines(plan: Plan): string[] {
  const { timeouts, budget, hedge } = plan;
  const ms = (value: number): string => (value === 0 ? 'none' : `${value} ms`);
  const again = plan.mayRepeat ? 'may be repeated' : 'may be repeated only where no endpoint has seen it';
  return [
    label('retries', `up to ${plan.retries}; the request ${again}; the budget has ${Math.floor(budget.held)} now`),
    ...plan.verdicts.map(({ failure, verdict }) => {
      const which =
        verdict === 'status' || failure === 'a retryable status' ? `${failure}: ${plan.statuses.join(', ')}` : failure;
      return label('', `${which}: ${verdictWords(verdict)}`);
    }),
    label(
      'timeouts',
      `connect ${ms(timeouts.connectMs)}, response ${ms(timeouts.responseMs)}, each try ${ms(timeouts.tryMs)}, idle ${ms(timeouts.idleMs)}`,
    ),
    label('queue', `${plan.maxQueue} places, ${ms(timeouts.queueMs)}; priority ${plan.priority}`),
    ...(hedge === null
      ? []
      : [
          label(
            'hedge',
            hedge.afterMs > 0 ? `after ${hedge.afterMs} ms` : `after the usual time (${hedge.percentile * 100} %)`,
          ),
        ]),
  ];
}

export function verdictWords(verdict: string): string {
  return verdict.startsWith('refused-') ? `no (${verdict})` : `again (${verdict})`;
}

function fieldLines(fields: Fields): string[] {
  const set = fields.toEndpoint.map(({ name, value }) => label('', `+ ${name}: ${value}`));
  const left = fields.notToEndpoint.map((name) => label('', `- ${name}`));
  const back = fields.toClient.map(({ name, value }) => label('', `+ ${name}: ${value} (to the client)`));
  const kept = fields.notToClient.map((name) => label('', `- ${name} (to the client)`));
  return [label('fields', `Host: ${fields.host}`), ...left, ...set, ...kept, ...back];
}
