// Recognises configurations of other programs, so that a pasted nginx.conf gets one clear message instead of many about its
// YAML. Thread: main.

import type { Finding } from '../problems/problem.ts';
import type { SourceText } from './source-text.ts';
import type { PlacedFinding } from './yaml-text.ts';

interface ForeignFormat {
  readonly name: string;
  /** The line that gives it away. None of them occurs in a configuration of Fairlead. */
  readonly sign: RegExp;
}

const FORMATS: readonly ForeignFormat[] = [
  {
    name: 'an nginx configuration',
    sign: /^[ \t]*(?:server|http|events|stream|location\s[^\n{]*|upstream\s+\S+)\s*\{[ \t]*(?:#.*)?$/m,
  },
  {
    name: 'an nginx configuration',
    sign: /^[ \t]*(?:proxy_pass|server_name|listen|worker_processes)\s+[^\n:]*;[ \t]*$/m,
  },
  { name: 'an HAProxy configuration', sign: /^(?:frontend|backend|listen)\s+[\w.-]+[ \t]*(?:#.*)?$/m },
  { name: 'an HAProxy configuration', sign: /^(?:global|defaults)[ \t]*(?:#.*)?$/m },
  {
    name: 'a Caddyfile',
    sign: /^[ \t]*(?:reverse_proxy|file_server|handle_path|php_fastcgi)(?:[ \t][^\n:]*(?::\d+)?[^\n:]*)?$/m,
  },
  { name: 'a Traefik configuration', sign: /^[ \t-]*["']?traefik\.(?:enable|http|tcp|docker)\b/m },
  { name: 'a Traefik configuration', sign: /^(?:entryPoints|certificatesResolvers):[ \t]*$/m },
  { name: 'an Envoy configuration', sign: /^(?:static_resources|dynamic_resources):/m },
  { name: 'a Kubernetes manifest', sign: /^apiVersion:[^\n]*\nkind:/m },
  {
    name: 'a Compose file',
    sign: /^services:[ \t]*\n(?:[ \t]*#[^\n]*\n)*[ \t]+\S+:[ \t]*\n(?:[ \t]+[^\n]*\n)*?[ \t]+(?:image|build):/m,
  },
];

/** The finding for a text that is the configuration of another program, or null. Call it for invalid texts only. */
export function foreignConfig(source: SourceText): PlacedFinding | null {
  for (const { name, sign } of FORMATS) {
    const match = sign.exec(source.text);
    if (match === null) continue;
    const begin = match.index + (match[0].length - match[0].trimStart().length);
    const finding: Finding = {
      code: 'FL1005',
      path: [],
      message: `this is ${name}: Fairlead has its own YAML with listeners, routes and upstreams; begin with examples/minimal.yaml${name.includes('HAProxy') ? ', and see haproxy-compat.md' : ''}`,
    };
    return { finding, span: source.spanOf([begin, match.index + match[0].length]) };
  }
  return null;
}
