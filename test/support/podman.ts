// Containers of a real Podman engine with its Docker-compatible socket, for tests. They run a small web server in the host's
// network, from an image of busybox. Thread: main.

import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { freePort } from '../../scripts/peers/free-port.ts';
import { eventually } from './fairlead.ts';

const run = promisify(execFile);
const RUNTIME = ['--runtime', 'runc'];

export class PodmanEngine {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'fairlead-podman-'));
  readonly #image = `localhost/fairlead-test-${process.pid}`;
  readonly #names: string[] = [];
  readonly #program: string;
  #service: ChildProcess | null = null;

  private constructor(program: string) {
    this.#program = program;
  }

  /** Imports the image and opens the socket. */
  static async start(t: TestContext, program: string, busybox: string): Promise<PodmanEngine> {
    const engine = new PodmanEngine(program);
    t.after(() => engine.#remove());
    engine.#importImage(busybox);
    await engine.open();
    return engine;
  }

  get socket(): string {
    return path.join(this.#folder, 'podman.sock');
  }

  /** Opens the socket, also again after `close`. */
  async open(): Promise<void> {
    rmSync(this.socket, { force: true });
    const args = [...RUNTIME, 'system', 'service', '--time=0', `unix:${this.socket}`];
    this.#service = spawn(this.#program, args, { stdio: 'ignore' });
    await eventually(() => existsSync(this.socket), 'the socket of Podman');
  }

  /** Ends the process that serves the socket; containers stay. */
  close(): void {
    this.#service?.kill('SIGKILL');
  }

  /** Runs a web server that answers with its name, and returns its port. @param flags of `podman run` */
  async serve(name: string, label: string, ...flags: readonly string[]): Promise<number> {
    const port = await freePort();
    const full = `${this.#image.split('/')[1]}-${name}`;
    this.#names.push(full);
    const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1000:1000', '--network', 'host'];
    const labels = ['--label', label, '--label', `fairlead.port=${port}`];
    const command = `echo -n ${name} >/www/index.html; exec /bin/busybox httpd -f -p 127.0.0.1:${port} -h /www`;
    await this.#podman([
      'run',
      '-d',
      '--name',
      full,
      ...limits,
      ...labels,
      ...flags,
      this.#image,
      '/bin/sh',
      '-c',
      command,
    ]);
    return port;
  }

  /** Runs a command of Podman for one container, as in `kill`. */
  async command(words: readonly string[], name: string, ...more: readonly string[]): Promise<void> {
    await this.#podman([...words, `${this.#image.split('/')[1]}-${name}`, ...more]);
  }

  #podman(args: readonly string[]): Promise<unknown> {
    return run(this.#program, [...RUNTIME, ...args]);
  }

  #importImage(busybox: string): void {
    const root = path.join(this.#folder, 'root');
    for (const folder of ['bin', 'www', 'tmp']) mkdirSync(path.join(root, folder), { recursive: true });
    copyFileSync(busybox, path.join(root, 'bin/busybox'));
    for (const name of ['sh', 'test', 'touch', 'rm']) symlinkSync('busybox', path.join(root, 'bin', name));
    writeFileSync(path.join(root, 'www/index.html'), '');
    const archive = path.join(this.#folder, 'image.tar');
    execFileSync('tar', ['-C', root, '-cf', archive, '.']);
    execFileSync(this.#program, [...RUNTIME, 'import', archive, this.#image], { stdio: 'ignore' });
  }

  #remove(): void {
    this.close();
    const quiet = { stdio: 'ignore' } as const;
    for (const name of this.#names) {
      try {
        execFileSync(this.#program, [...RUNTIME, 'rm', '-f', '-t', '0', name], quiet);
      } catch {
        // The test has removed it.
      }
    }
    try {
      execFileSync(this.#program, [...RUNTIME, 'rmi', this.#image], quiet);
    } catch {
      // It was never imported.
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
