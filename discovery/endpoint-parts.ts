// Parts of endpoints that several sources derive in the same way: schemes and weights. Thread: main.

import type { OptionProblem, OptionSchemas } from '../core/option-schema.ts';

/** The largest weight of an endpoint. */
const MOST_WEIGHT = 256;

export type Scheme = 'http' | 'https' | 'tcp' | 'tls';

/** The option `scheme`, for sources whose servers know addresses and ports only. */
export function schemeOption(z: OptionSchemas['z']) {
  return z
    .enum(['http', 'https', 'tcp', 'tls'])
    .default('http')
    .describe('Scheme of the endpoints; `tcp` and `tls` for upstreams that serve TCP sessions.');
}

/** Endpoints by address need a name for TLS. @param serverName `tls.serverName` of the upstream, or '' */
export function checkScheme(scheme: Scheme, serverName: string): readonly OptionProblem[] {
  if ((scheme !== 'https' && scheme !== 'tls') || serverName !== '') return [];
  const message = `with scheme ${scheme} the upstream needs "tls.serverName": the endpoints are addresses, whose certificates have names`;
  return [{ code: 'FL3008', message, path: ['scheme'] }];
}

/** Scales weights that are larger than ours. Zero becomes the least: hardly any requests. @param heaviest of the set */
export function scaleWeight(weight: number, heaviest: number): number {
  const scaled = heaviest > MOST_WEIGHT ? Math.round((weight * MOST_WEIGHT) / heaviest) : weight;
  return Math.max(1, scaled);
}
