// Checks of an upstream's discovery sources. Nothing is read and nothing is resolved. Thread: main.

import { isIP } from 'node:net';
import { sourceNamed } from '../../discovery/sources.ts';
import type { KeyPath } from '../problems/problem.ts';
import type { EndpointConfig } from '../schema/schema-upstreams.ts';
import type { UpstreamCheck } from './upstream-check.ts';

export function checkDiscover(check: UpstreamCheck): void {
  const serverName = check.upstream.tls.serverName ?? '';
  const place = { upstream: String(check.path.at(-1)), directory: check.context.directory, serverName };
  for (const [kind, options] of Object.entries(check.upstream.discover?.sources ?? {})) {
    check.reportOptions(sourceNamed(kind).check?.(options, place) ?? [], ['discover', kind]);
  }
  for (const [index, endpoint] of check.upstream.endpoints.entries()) {
    if (endpoint.resolve === 'all') checkResolved(check, endpoint, ['endpoints', index]);
  }
}

/** Only a name can have several addresses; and TLS needs that name. */
function checkResolved(check: UpstreamCheck, { url }: EndpointConfig, path: KeyPath): void {
  if (url.socketPath !== '' || isIP(url.host) !== 0) {
    check.reportNoEffect([...path, 'resolve'], 'this endpoint is no name');
  } else if (url.protocol === 'https' && check.upstream.tls.serverName === undefined) {
    const message = `with resolve: all the upstream needs "tls.serverName", for example ${url.host}: its endpoints are addresses, whose certificates have names`;
    check.report('FL3008', message, [...path, 'resolve']);
  }
}
