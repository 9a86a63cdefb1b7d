// `fairlead demo`: app servers, balancer and admin API on loopback. At a terminal it adds a load and a menu that breaks and
// repairs the app servers. Thread: main.

import { type ChildProcess, fork } from 'node:child_process';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFile } from '../../../config/files/package-files.ts';
import type { ControlPlane } from '../../../control/control-plane.ts';
import { EXIT } from '../exit-codes.ts';
import { callAdmin, refusalWords } from '../live/admin-client.ts';
import { adminTarget } from '../live/admin-target.ts';
import { isPort } from '../quick/quick.ts';
import { run } from '../run/run.ts';
import type { LoadReport } from './app-messages.ts';
import { type App, Apps } from './apps.ts';
import {
  actText,
  type DemoAct,
  helpText,
  isOfProcess,
  loadText,
  nextCanaryWeight,
  selectedText,
  stepOf,
} from './menu.ts';

const CONFIG = fileURLToPath(packageFile('examples/demo.yaml'));
const LOAD = join(import.meta.dirname, `load${extname(import.meta.filename)}`);
const UPSTREAMS = ['app', 'app', 'app', 'canary'];
/** Author of changes, for log and dashboard. */
const AUTHOR = 'the menu of the demo';

export interface DemoOptions {
  readonly port: string;
  readonly adminPort: string;
  readonly version: string;
}

export async function demo(options: DemoOptions): Promise<void> {
  for (const [option, text] of [
    ['--port', options.port],
    ['--admin-port', options.adminPort],
  ] as const) {
    if (isPort(text)) continue;
    console.error(`fairlead: ${option} takes a port from 0 to 65535, not ${JSON.stringify(text)}`);
    process.exitCode = EXIT.usage;
    return;
  }
  const hasMenu = process.stdin.isTTY && process.stdout.isTTY;
  const apps = new Apps(!hasMenu);
  const list = await apps.start(UPSTREAMS);
  process.once('exit', () => apps.stop());
  const ports = list.map(({ port }) => String(port));
  const environment = {
    FAIRLEAD_DEMO_BIND: `127.0.0.1:${options.port}`,
    FAIRLEAD_DEMO_ADMIN: `127.0.0.1:${options.adminPort}`,
    FAIRLEAD_DEMO_APP_1: ports[0]!,
    FAIRLEAD_DEMO_APP_2: ports[1]!,
    FAIRLEAD_DEMO_APP_3: ports[2]!,
    FAIRLEAD_DEMO_CANARY: ports[3]!,
  };
  const plane = await run({
    file: CONFIG,
    version: options.version,
    environment,
    portOptions: { listener: '--port', admin: '--admin-port' },
  });
  if (plane === null) return apps.stop();
  console.log(banner(plane, options.version, list.length));
  if (hasMenu) new Menu(plane, apps).start();
  else console.log(tryText(plane, list));
}

/** Keys of the terminal, and the load that shows their effect. */
class Menu {
  readonly #plane: ControlPlane;
  readonly #apps: Apps;
  #selected = 0;
  #canaryWeight = 0;
  /** Resolves when the keys so far have had their effect. */
  #done: Promise<void> = Promise.resolve();

  constructor(plane: ControlPlane, apps: Apps) {
    this.#plane = plane;
    this.#apps = apps;
  }

  start(): void {
    const load = startLoad(this.#plane, this.#apps.list);
    process.once('exit', () => load.kill('SIGKILL'));
    process.stdin.setRawMode(true).resume().setEncoding('utf8').on('data', this.#onKeys);
    process.once('exit', () => process.stdin.setRawMode(false));
    this.#help();
  }

  readonly #onKeys = (text: string): void => {
    // One after the other: the next key acts on what this one has changed.
    for (const key of text) {
      this.#done = this.#done
        .then(() => this.#onKey(key))
        .catch((error: unknown) => console.log(`  ${(error as Error).message}`));
    }
  };

  async #onKey(key: string): Promise<void> {
    const step = stepOf(key, this.#apps.list.length);
    if (step === null) return;
    if (step.kind === 'quit') process.kill(process.pid, 'SIGINT');
    else if (step.kind === 'canary') await this.#canary();
    else if (step.kind === 'act') await this.#act(this.#apps.list[this.#selected]!, step.act);
    else if (step.kind === 'help') this.#help();
    else {
      this.#selected = step.index;
      console.log(selectedText(this.#apps.list[step.index]!, step.index));
    }
  }

  #help(): void {
    console.log(helpText(this.#apps.list, this.#selected));
  }

  async #act(app: App, act: DemoAct): Promise<void> {
    const { health } = this.#plane;
    if (isOfProcess(act) && !this.#apps.isRunning(app)) {
      console.log(`  ${app.name} does not run: b brings it back`);
      return;
    }
    if (act === 'kill') await this.#apps.kill(app);
    else if (act === 'freeze') this.#apps.freeze(app);
    else if (act === 'slow') this.#apps.slowDown(app);
    else if (act === 'back') await this.#apps.bringBack(app);
    else health.setAdmin(app.upstream, app.name, act, AUTHOR);
    console.log(`  ${actText(app, act)}`);
  }

  async #canary(): Promise<void> {
    const weight = nextCanaryWeight(this.#canaryWeight);
    const target = adminTarget({ admin: this.#plane.adminAddress! });
    const bodies = [
      { route: 'site', upstream: 'canary', weight },
      { route: 'site', upstream: 'app', weight: 100 - weight },
    ];
    for (const body of bodies) {
      const answer = await callAdmin(target, '/api/v1/splits', { body });
      if (answer.status !== 200) throw new Error(refusalWords(answer));
    }
    this.#canaryWeight = weight;
    console.log(`  the canary gets ${weight} % of the requests`);
  }
}

function startLoad(plane: ControlPlane, apps: readonly App[]): ChildProcess {
  const load = fork(LOAD, [`http://${plane.bound[0]!.address}/`]);
  load.on('message', (report) => console.log(`  ${loadText(report as LoadReport, apps)}`));
  load.on('error', (error) => console.log(`  the load did not start: ${error.message}`));
  return load;
}

function banner(plane: ControlPlane, version: string, apps: number): string {
  const admin = `http://${plane.adminAddress}`;
  return `
  Fairlead ${version} balances ${apps} app servers.

    site      http://${plane.bound[0]!.address}
    dashboard ${admin}/ (open it beside this terminal)
    admin API ${admin}/api/v1/status, and /metrics
`;
}

function tryText({ bound, adminAddress }: ControlPlane, apps: readonly App[]): string {
  const web = `http://${bound[0]!.address}`;
  const { pid, name } = apps[0]!;
  const names = apps.map((app) => `    ${app.name} (pid ${app.pid})`);
  const lines = [
    [`curl ${web}/`, 'again and again: the app servers take turns'],
    [`kill -9 ${pid}`, `${name} dies; no request fails; it is back after 8 s`],
    [`fairlead status --admin ${adminAddress}`, 'what is up, and why the rest is not'],
  ] as const;
  const width = Math.max(...lines.map(([command]) => command.length));
  return `  App servers:
${names.join('\n')}

  Try:
${lines.map(([command, effect]) => `    ${command.padEnd(width)}   ${effect}`).join('\n')}

  Ctrl-C drains and ends.
`;
}
