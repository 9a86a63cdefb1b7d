// The configuration that `fairlead init` writes: YAML with comments from a few answers. Pure. Thread: main.

import { isIP } from 'node:net';
import { parseEndpointAddress } from '../../../config/values/endpoint-address.ts';

export interface InitAnswers {
  /** URLs of the endpoints; at least one. */
  readonly upstreams: readonly string[];
  /** Host names of the site; none for any host. */
  readonly domains: readonly string[];
  /** Files of the certificate and its key; null for plain HTTP. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  /** Path of the heartbeat; null for heartbeats that only connect. */
  readonly health: string | null;
  /** Bind address of the site; null for `:8443` with TLS and `:8080` without. */
  readonly listen: string | null;
}

const SCHEMA_LINE = '# yaml-language-server: $schema=node_modules/fairlead/fairlead.schema.json';

/** Renders the file. Values are written as JSON strings, so that no answer can add structure or a variable. */
export function initFile(answers: InitAnswers): string {
  return [
    SCHEMA_LINE,
    '# Written by fairlead init. Check it: fairlead check FILE. Every key: docs/config-reference.md',
    ...listenerLines(answers),
    '',
    '# The first route that matches serves the request.',
    ...routeLines(answers),
    '',
    ...upstreamLines(answers),
    '',
    '# State, metrics and dashboard, for this machine only: fairlead status, fairlead top, http://127.0.0.1:9900/',
    'admin: { bind: "127.0.0.1:9900" }',
    '',
    '# One line for each request; remove it for none.',
    'accessLog: { format: json, output: stdout }',
    '',
  ].join('\n');
}

/** Whether an endpoint is a name with a certificate of its own, which usually selects its site by the Host field. */
export function hasOwnName(url: string): boolean {
  const parsed = parseEndpointAddress(url);
  return parsed.ok && parsed.value.protocol === 'https' && isIP(parsed.value.host) === 0;
}

function listenerLines({ tls, listen }: InitAnswers): string[] {
  const lines = ['listeners:', '  - name: web'];
  if (tls === null) {
    const bind = listen ?? ':8080';
    const hint = /^(?:0\.0\.0\.0|\[::\])?:\d+$/.test(bind) ? ' # all addresses of the machine' : '';
    return [...lines, `    bind: ${text(bind)}${hint}`];
  }
  return [
    ...lines,
    `    bind: ${text(listen ?? ':8443')} # 443 needs root or CAP_NET_BIND_SERVICE`,
    '    tls:',
    `      certificates: [{ cert: ${text(tls.cert)}, key: ${text(tls.key)} }]`,
  ];
}

function routeLines({ domains, upstreams }: InitAnswers): string[] {
  const hosts = domains.map(text).join(', ');
  const match = domains.length === 0 ? [] : [`match: { host: [${hosts}] } # other hosts get 404`];
  const host = upstreams.some(hasOwnName) ? ['host: { from: endpoint } # HTTPS servers expect their own name'] : [];
  const [first = '', ...others] = [...match, 'upstream: app', ...host];
  return ['routes:', `  - ${first}`, ...others.map((line) => `    ${line}`)];
}

function upstreamLines({ upstreams, health }: InitAnswers): string[] {
  const heartbeat = health === null ? '{ type: tcp } # better: { path: /healthz }' : `{ path: ${text(health)} }`;
  return [
    'upstreams:',
    '  app:',
    '    balance: least-request # the endpoint with the fewest requests in flight',
    '    endpoints:',
    ...upstreams.map((url) => `      - ${text(url)}`),
    '    health:',
    `      heartbeat: ${heartbeat}`,
  ];
}

/** `$$` is a dollar sign: `${NAME}` in an answer is not a variable. */
function text(value: string): string {
  return JSON.stringify(value.replaceAll('$', '$$$$'));
}
