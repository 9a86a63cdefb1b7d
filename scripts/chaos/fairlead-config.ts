// Fairlead's configuration for a chaos run. Keys that a version does not have are left out, so that versions can be
// compared. Thread: main.

import { isKnownKey } from '../../config/schema/known-keys.ts';
import type { Tuning } from './proxies/proxy.ts';

export interface FairleadPlace {
  readonly webPort: number;
  readonly adminPort: number;
  readonly endpointPorts: readonly number[];
  readonly workers: number;
  readonly accessLogFile: string;
}

type Settings = Readonly<Record<string, unknown>>;

const PASSIVE = { consecutiveFailures: 3, ejection: { base: '1s', max: '5s' }, maxEjectedPercent: 67 };

/** Returns YAML, in its JSON subset. */
export function fairleadConfig(place: FairleadPlace, tuning: Tuning): string {
  const config = {
    workers: place.workers,
    listeners: [{ name: 'web', bind: `127.0.0.1:${place.webPort}` }],
    routes: [{ upstream: 'app' }],
    upstreams: { app: upstream(place, tuning) },
    admin: { bind: `127.0.0.1:${place.adminPort}` },
    accessLog: { format: 'json', output: place.accessLogFile },
    log: { level: 'info' },
    shutdown: { grace: '1s' },
  };
  return JSON.stringify(config, null, 2);
}

function upstream({ endpointPorts }: FairleadPlace, tuning: Tuning): Settings {
  const isAlone = endpointPorts.length === 1;
  return {
    balance: tuning.balance,
    endpoints: endpointPorts.map((port) => `http://127.0.0.1:${port}`),
    health: {
      heartbeat: {
        path: '/health',
        expect: 200,
        interval: '500ms',
        fastInterval: '100ms',
        downInterval: '200ms',
        timeout: '300ms',
        rise: 2,
        fall: 2,
      },
      ...(isAlone ? {} : { passive: PASSIVE }),
    },
    retry: {
      attempts: 2,
      on: ['connect-failure', 'reset', 'timeout', 503],
      ...(tuning.tryMs === null ? {} : { perTryTimeout: `${tuning.tryMs}ms` }),
    },
    timeouts: { connect: '300ms', response: `${tuning.responseMs}ms`, queue: `${tuning.queueMs}ms` },
    limits: tuning.maxConnections === 0 ? {} : { maxConnections: tuning.maxConnections },
    ...whereKnown('hedge.after', tuning.isHedged && !isAlone, { hedge: { after: 'p95' } }),
    ...whereKnown('whenAllDown', tuning.waitsWhenAllDown, { whenAllDown: 'wait' }),
  };
}

/** The settings, if they are wanted and this version knows the key under `upstreams.*`. */
function whereKnown(key: string, isWanted: boolean, settings: Settings): Settings {
  return isWanted && isKnownKey(`upstreams.*.${key}`) ? settings : {};
}
