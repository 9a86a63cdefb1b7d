// `fairlead demo`: app servers, balancer and admin API on loopback, and suggestions to try. Thread: main.

import { fileURLToPath } from 'node:url';
import { packageFile } from '../../../config/files/package-files.ts';
import { run } from '../run/run.ts';
import { type App, Apps } from './apps.ts';

const CONFIG = fileURLToPath(packageFile('examples/demo.yaml'));

export interface DemoOptions {
  readonly port: string;
  readonly adminPort: string;
  readonly version: string;
}

export async function demo(options: DemoOptions): Promise<void> {
  const apps = new Apps();
  const list = await apps.start(['app-1', 'app-2', 'app-3']);
  process.once('exit', () => apps.stop());
  const environment = {
    FAIRLEAD_DEMO_BIND: `127.0.0.1:${options.port}`,
    FAIRLEAD_DEMO_ADMIN: `127.0.0.1:${options.adminPort}`,
    ...Object.fromEntries(list.map((app, index) => [`FAIRLEAD_DEMO_APP_${index + 1}`, String(app.port)])),
  };
  const plane = await run({
    file: CONFIG,
    version: options.version,
    environment,
    portOptions: { listener: '--port', admin: '--admin-port' },
  });
  if (plane === null) apps.stop();
  else console.log(banner(options, list));
}

function banner(options: DemoOptions, apps: readonly App[]): string {
  const web = `http://127.0.0.1:${options.port}`;
  const admin = `http://127.0.0.1:${options.adminPort}`;
  return `
  Fairlead ${options.version} balances ${apps.length} app servers.

    app       ${web}
    dashboard ${admin}/
    admin API ${admin}/api/v1/status   and /metrics

  Try:
    curl ${web}/                 again and again: the app servers take turns
    kill -9 ${apps[0]!.pid}                            ${apps[0]!.name} dies; no request fails; it is back after 8 s
    curl -s ${admin}/api/v1/status     who is up and why; the dashboard shows it live
    npx autocannon -d 20 ${web}/  and kill one while it runs

  Ctrl-C drains and ends.
`;
}
