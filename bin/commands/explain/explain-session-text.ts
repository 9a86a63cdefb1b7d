// Renders the explanation of a TCP session as text for a terminal. Pure. Thread: main.

import type { SessionReply } from '../../../admin/api/explain-session-schemas.ts';
import { label, listenerLines, policyLines, routeLines, upstreamLines, verdictWords } from './explain-text.ts';
import { plainText } from './why-text.ts';

/** The whole explanation, without control characters except line feeds. */
export function explainSessionText(reply: SessionReply): string {
  const { listener, policies, routes, upstream, plan } = reply;
  const lines = [
    sessionWords(reply.session),
    ...listenerLines(listener),
    label('route', actionWords(reply)),
    ...routeLines(routes),
    ...policyLines(policies),
    ...(upstream === null ? [] : upstreamLines(upstream)),
    ...(plan === null ? [] : planLines(plan)),
  ];
  return lines.map(plainText).join('\n');
}

const TLS_WORDS = {
  none: '',
  'passed-on': ' with TLS that an endpoint answers',
  terminated: ' with TLS that the listener answers',
} as const;

function sessionWords({ client, serverName, alpn, tls }: SessionReply['session']): string {
  const name = serverName === '' ? '' : ` for ${serverName}`;
  const protocols = alpn.length === 0 ? '' : `, ALPN ${alpn.join(' ')}`;
  return `TCP session${name}${TLS_WORDS[tls]}${protocols}${client === '' ? '' : `, from ${client}`}`;
}

function actionWords({ action, route }: SessionReply): string {
  return action.kind === 'upstream' ? `${route} -> upstream ${action.upstream}` : action.because;
}

function planLines({
  retries,
  verdict,
  timeouts,
  maxQueue,
  priority,
  onDown,
}: NonNullable<SessionReply['plan']>): string[] {
  const idle = timeouts.tunnelMs === 0 ? 'none' : `${timeouts.tunnelMs} ms`;
  const fate = onDown === 'close' ? 'is closed' : 'is kept';
  return [
    label('retries', `up to ${retries}; no connection could be made: ${verdictWords(verdict)}`),
    label('timeouts', `connect ${timeouts.connectMs} ms, idle ${idle}`),
    label('queue', `${maxQueue} places, ${timeouts.queueMs} ms; priority ${priority}`),
    label('down', `where the endpoint goes down, the session ${fate}`),
  ];
}
