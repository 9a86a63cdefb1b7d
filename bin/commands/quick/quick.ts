// `fairlead quick`: a load balancer from options alone, without a configuration file. Thread: main.

import { loadConfigText } from '../../../config/load.ts';
import { parseBindAddress } from '../../../config/values/bind-address.ts';
import { parseEndpointAddress } from '../../../config/values/endpoint-address.ts';
import { systemClock } from '../../../core/clock.ts';
import type { ControlPlane } from '../../../control/control-plane.ts';
import { EXIT } from '../exit-codes.ts';
import { hasOwnName } from '../init/init-file.ts';
import { run } from '../run/run.ts';

export interface QuickOptions {
  /** Bind address of the listener. */
  readonly listen: string;
  /** URLs of the endpoints. */
  readonly to: readonly string[];
  /** Path of the heartbeat; without it heartbeats only connect. */
  readonly health?: string;
  /** Port of the admin API on loopback, or `none`. */
  readonly adminPort: string;
  readonly version: string;
}

/** Name of the text in problems. */
const SOURCE = 'the options';

/** Runs until a signal ends it. Sets the exit code where the options are invalid or a port is taken. */
export async function quick(options: QuickOptions): Promise<void> {
  const invalid = invalidOption(options);
  if (invalid !== null) {
    console.error(`fairlead: ${invalid}`);
    process.exitCode = EXIT.usage;
    return;
  }
  const text = quickConfig(options);
  const origin = { file: SOURCE, directory: process.cwd(), environment: {}, wallMs: systemClock.wallMs() };
  const plane = await run({
    file: SOURCE,
    version: options.version,
    load: () => loadConfigText(text, origin),
    portOptions: { listener: '--listen', admin: '--admin-port' },
  });
  if (plane !== null) console.log(summary(plane, options.to));
}

/** The configuration as JSON, which is YAML: option texts can add no structure of their own. */
export function quickConfig({ listen, to, health, adminPort }: Omit<QuickOptions, 'version'>): string {
  const heartbeat = health === undefined ? { type: 'tcp' } : { path: health };
  const config = {
    listeners: [{ name: 'web', bind: listen }],
    routes: [{ upstream: 'app', ...(to.some(hasOwnName) ? { host: { from: 'endpoint' } } : {}) }],
    upstreams: { app: { endpoints: to, health: { heartbeat } } },
    ...(adminPort === 'none' ? {} : { admin: { bind: `127.0.0.1:${adminPort}` } }),
  };
  return JSON.stringify(config, null, 2);
}

/** Errors of the options in their own words; all others are reported by the loader. */
export function invalidOption({
  listen,
  to,
  adminPort,
}: Pick<QuickOptions, 'listen' | 'to' | 'adminPort'>): string | null {
  if (to.length === 0) return 'quick needs an endpoint: --to http://127.0.0.1:3000';
  const parsed = parseBindAddress(listen);
  if (!parsed.ok) return `--listen: ${parsed.message}`;
  for (const url of to) {
    const endpoint = parseEndpointAddress(url);
    if (!endpoint.ok) return `--to: ${endpoint.message}`;
  }
  if (adminPort === 'none' || isPort(adminPort)) return null;
  return `--admin-port takes a port from 0 to 65535, or none, not ${JSON.stringify(adminPort)}`;
}

/** Whether an option's text is a port; 0 is any free one. */
export function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
}

function summary({ bound, adminAddress }: ControlPlane, to: readonly string[]): string {
  const listening = bound.map(({ address }) => urlOf(address)).join(', ');
  const lines = [`${listening} -> ${to.join(', ')}`];
  if (adminAddress !== null) {
    lines.push(`dashboard: http://${adminAddress}/`, `state: fairlead status --admin ${adminAddress}`);
  }
  return [...lines, 'Ctrl-C drains and ends.'].join('\n');
}

/** A URL to open on this machine; a listener on all addresses is reached by localhost. Sockets keep their path. */
export function urlOf(address: string): string {
  if (address.startsWith('unix:')) return address;
  return `http://${address.replace(/^(?:\[::\]|0\.0\.0\.0):/, 'localhost:')}/`;
}
