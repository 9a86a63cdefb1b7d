// Fairlead as benchmarks and load tests run it: the real command in a process of its own, with a configuration written
// for it. Thread: main.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';

const COMMAND = fileURLToPath(new URL('../../bin/fairlead.ts', import.meta.url));

/** The command as `npm run build` compiles it. */
export const BUILT_COMMAND = fileURLToPath(new URL('../../dist/bin/fairlead.js', import.meta.url));

const FILE = 'fairlead.yaml';

/** Start deadline in ms, far above the start time on a busy machine. */
const READY_MS = 90_000;

interface Ports {
  readonly web: number;
  readonly admin: number;
}

export class FairleadProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly adminUrl: string;
  /** Lines of its process log. */
  readonly log: string[] = [];
  readonly #folder: string;
  readonly #ports: Ports;

  private constructor(child: ChildProcess, ports: Ports, folder: string) {
    this.child = child;
    this.#ports = ports;
    this.url = `http://127.0.0.1:${ports.web}`;
    this.adminUrl = `http://127.0.0.1:${ports.admin}`;
    this.#folder = folder;
    child.stderr!.setEncoding('utf8');
    child.stderr!.on('data', (text: string) => this.log.push(...text.split('\n').filter((line) => line !== '')));
  }

  /**
   * Starts Fairlead and waits until it is ready.
   * @param yaml returns the configuration for the given ports
   * @param prefix command to run it under, such as ['taskset', '-c', '0']
   * @param entry file of the command
   */
  static async start(
    yaml: (ports: Ports) => string,
    prefix: readonly string[] = [],
    entry = COMMAND,
  ): Promise<FairleadProcess> {
    const ports = { web: await freePort(), admin: await freePort() };
    const folder = await mkdtemp(join(tmpdir(), 'fairlead-load-'));
    const file = join(folder, FILE);
    await writeFile(file, yaml(ports));
    const [command, ...args] = [...prefix, process.execPath, entry, 'run', '--config', file];
    const child = spawn(command!, args, { stdio: ['ignore', 'inherit', 'pipe'] });
    const fairlead = new FairleadProcess(child, ports, folder);
    await fairlead.#ready();
    return fairlead;
  }

  async #ready(): Promise<void> {
    const giveUpMs = performance.now() + READY_MS;
    while (this.child.exitCode === null) {
      if (performance.now() > giveUpMs) return this.#giveUp();
      try {
        const response = await fetch(`${this.adminUrl}/readyz`, { signal: AbortSignal.timeout(READY_MS) });
        await response.arrayBuffer();
        if (response.ok) return;
      } catch {
        // not yet listening
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`Fairlead ended with ${this.child.exitCode}:\n${this.log.join('\n')}`);
  }

  async #giveUp(): Promise<never> {
    await this.stop('SIGKILL');
    throw new Error(`Fairlead was not ready within ${READY_MS / 1000} s:\n${this.log.join('\n')}`);
  }

  /** Replaces its configuration file, for a reload. */
  async rewrite(yaml: (ports: Ports) => string): Promise<void> {
    await writeFile(join(this.#folder, FILE), yaml(this.#ports));
  }

  /** Resident memory in bytes. */
  async residentBytes(): Promise<number> {
    const { readFile } = await import('node:fs/promises');
    const status = await readFile(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  }

  /** Drains it and waits for its exit. Returns the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode === null) {
      const gone = once(this.child, 'exit');
      this.child.kill(signal);
      await gone;
    }
    await rm(this.#folder, { recursive: true, force: true });
    return this.child.exitCode;
  }
}
