// Endpoints as discovery sources yield them, for tests. Thread: main.

import type { DiscoveredEndpoint } from '../../discovery/source.ts';

export function discovered(host: string, parts: Partial<DiscoveredEndpoint> = {}): DiscoveredEndpoint {
  return {
    protocol: 'http',
    host,
    port: 3000,
    socketPath: '',
    weight: 1,
    backup: false,
    zone: '',
    metadata: {},
    ...parts,
  };
}
