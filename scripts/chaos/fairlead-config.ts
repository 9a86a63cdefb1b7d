// Fairlead's configuration for a chaos run. Thread: main.

import type { Profile, ProfileChanges } from './proxies/proxy.ts';
import { recommendedUpstream, type Settings } from './recommended-settings.ts';

export interface FairleadPlace {
  readonly webPort: number;
  readonly adminPort: number;
  readonly endpointPorts: readonly number[];
  readonly workers: number;
  readonly accessLogFile: string;
}

/** Returns YAML, in its JSON subset. */
export function fairleadConfig(place: FairleadPlace, profile: Profile): string {
  const config = {
    workers: place.workers,
    listeners: [{ name: 'web', bind: `127.0.0.1:${place.webPort}` }],
    routes: [{ upstream: 'app' }],
    upstreams: { app: upstream(place, profile) },
    admin: { bind: `127.0.0.1:${place.adminPort}` },
    accessLog: { format: 'json', output: place.accessLogFile },
    log: { level: 'info' },
    shutdown: { grace: '1s' },
  };
  return JSON.stringify(config, null, 2);
}

/** The only settings of the upstream in the profile 'defaults', beside its endpoints. Endpoints answer at this path. */
const HEARTBEAT = { path: '/health' } as const;

function upstream({ endpointPorts }: FairleadPlace, { name, balance, changes }: Profile): Settings {
  const endpoints = endpointPorts.map((port) => `http://127.0.0.1:${port}`);
  if (name === 'defaults') return { endpoints, health: { heartbeat: HEARTBEAT } };
  const isAlone = endpoints.length === 1;
  const { health, hedge, retry, timeouts, ...others } = recommendedUpstream();
  return {
    ...others,
    balance,
    endpoints,
    // Ejection and hedging need a second endpoint.
    health: { heartbeat: { ...health.heartbeat, ...HEARTBEAT }, ...(isAlone ? {} : { passive: health.passive }) },
    ...(isAlone || changes.isHedged === false ? {} : { hedge }),
    retry: retryOf(retry, changes),
    timeouts: {
      ...timeouts,
      ...(changes.responseMs === undefined ? {} : { response: `${changes.responseMs}ms` }),
      ...(changes.queueMs === undefined ? {} : { queue: `${changes.queueMs}ms` }),
    },
    ...((changes.maxConnections ?? 0) === 0 ? {} : { limits: { maxConnections: changes.maxConnections } }),
  };
}

function retryOf({ perTryTimeout, ...others }: Settings, { tryMs }: ProfileChanges): Settings {
  if (tryMs === null) return others;
  return { ...others, perTryTimeout: tryMs === undefined ? perTryTimeout : `${tryMs}ms` };
}
