// The demo's app servers: started on free loopback ports; killed, stopped, slowed down and brought back. Thread: main.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';
import type { FromApp, ToApp } from './app-messages.ts';

const APP = join(import.meta.dirname, `app${extname(import.meta.filename)}`);
/** Restart delay in ms: long enough to notice the failure, short enough to watch the recovery. */
const BACK_AFTER_MS = 8_000;

export interface App {
  /** The endpoint's name, as in log and dashboard: `app/127.0.0.1:40001`. */
  readonly name: string;
  readonly upstream: string;
  readonly port: number;
  pid: number;
}

export class Apps {
  readonly list: App[] = [];
  readonly #children = new Map<string, ChildProcess>();
  /** Whether a server that dies is started again without a key. */
  readonly #bringsBack: boolean;
  #isEnding = false;

  constructor(bringsBack: boolean) {
    this.#bringsBack = bringsBack;
  }

  /** Starts an app server for each upstream named, and resolves when all listen. */
  async start(upstreams: readonly string[]): Promise<readonly App[]> {
    for (const upstream of upstreams) this.list.push(await this.#launch(upstream, 0));
    return this.list;
  }

  /** Ends all of them. */
  stop(): void {
    this.#isEnding = true;
    for (const child of this.#children.values()) child.kill('SIGKILL');
  }

  /** Resolves when the process has ended. */
  async kill(app: App): Promise<void> {
    if (!this.isRunning(app)) return;
    const child = this.#children.get(app.name)!;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Stops the process without closing its sockets, as a machine that hangs. */
  freeze({ name }: App): void {
    this.#children.get(name)?.kill('SIGSTOP');
  }

  slowDown(app: App): void {
    this.#send(app, { isSlow: true });
  }

  /** Whether its process is alive; a stopped one is. */
  isRunning({ name }: App): boolean {
    const child = this.#children.get(name);
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Starts, continues and speeds up again, whatever it needs. Resolves when it listens. */
  async bringBack(app: App): Promise<void> {
    if (!this.isRunning(app)) {
      app.pid = (await this.#launch(app.upstream, app.port)).pid;
      return;
    }
    this.#children.get(app.name)?.kill('SIGCONT');
    this.#send(app, { isSlow: false });
  }

  #send({ name }: App, message: ToApp): void {
    const child = this.#children.get(name);
    if (child?.connected === true) child.send(message);
  }

  #launch(upstream: string, port: number): Promise<App> {
    return new Promise((resolve, reject) => {
      const child = fork(APP, [upstream, String(port)]);
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`an app server of the demo did not start on port ${port}`)));
      child.once('message', (message) => {
        const { port: chosen } = message as FromApp;
        const app = { name: `${upstream}/127.0.0.1:${chosen}`, upstream, port: chosen, pid: child.pid! };
        this.#children.set(app.name, child);
        child.once('exit', () => this.#exited(app));
        resolve(app);
      });
    });
  }

  #exited(app: App): void {
    if (this.#isEnding || !this.#bringsBack) return;
    setTimeout(() => {
      if (this.#isEnding) return;
      const known = this.list.find(({ name }) => name === app.name)!;
      this.bringBack(known).catch(() => this.#exited(app));
    }, BACK_AFTER_MS).unref();
  }
}
