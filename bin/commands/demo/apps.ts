// The demo's three app servers: started on free loopback ports, restarted some seconds after a kill. Thread: main.

import { type ChildProcess, fork } from 'node:child_process';
import { extname, join } from 'node:path';

const APP = join(import.meta.dirname, `app${extname(import.meta.filename)}`);
/** Restart delay in ms: long enough to notice the failure, short enough to watch the recovery. */
const BACK_AFTER_MS = 8_000;

export interface App {
  readonly name: string;
  readonly port: number;
  pid: number;
}

export class Apps {
  readonly list: App[] = [];
  readonly #children = new Map<string, ChildProcess>();
  #isEnding = false;

  /** Starts the app servers and resolves when all listen. */
  async start(names: readonly string[]): Promise<readonly App[]> {
    for (const name of names) this.list.push(await this.#launch(name, 0));
    return this.list;
  }

  stop(): void {
    this.#isEnding = true;
    for (const child of this.#children.values()) child.kill('SIGKILL');
  }

  #launch(name: string, port: number): Promise<App> {
    return new Promise((resolve, reject) => {
      const child = fork(APP, [name, String(port)]);
      this.#children.set(name, child);
      child.once('error', reject);
      child.once('message', (message) => {
        const { port: chosen } = message as { port: number };
        child.once('exit', () => this.#bringBack(name, chosen));
        resolve({ name, port: chosen, pid: child.pid! });
      });
    });
  }

  #bringBack(name: string, port: number): void {
    if (this.#isEnding) return;
    setTimeout(() => {
      if (this.#isEnding) return;
      this.#launch(name, port).then(
        (app) => {
          const known = this.list.find((one) => one.name === name)!;
          known.pid = app.pid;
        },
        () => this.#bringBack(name, port),
      );
    }, BACK_AFTER_MS).unref();
  }
}
