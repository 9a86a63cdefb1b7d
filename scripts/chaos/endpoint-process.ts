// Endpoint of a chaos run: a port and the processes that serve it in turn. All are started before the load, since
// starting a process takes CPU time from those that are measured. Thread: main.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { EndpointCommand } from './endpoint-contract.ts';
import { freePort } from '../peers/free-port.ts';
import { endWithUs } from '../peers/program.ts';
import type { EndpointSpec } from './plan.ts';

const PROGRAM = new URL('./endpoint-program.ts', import.meta.url);

export class EndpointProcess {
  readonly spec: EndpointSpec;
  readonly #lives: ChildProcess[];
  #port = 0;
  #current: ChildProcess;

  private constructor(spec: EndpointSpec, lives: ChildProcess[]) {
    this.spec = spec;
    this.#lives = lives;
    this.#current = lives.shift()!;
  }

  /**
   * Starts the endpoint and waits until it listens.
   * @param ledgerFile gets one line per request
   * @param lives number of processes: one, and one more for each kill
   */
  static async start(spec: EndpointSpec, ledgerFile: string, lives: number): Promise<EndpointProcess> {
    const args = [spec.name, ledgerFile, String(spec.slots), String(spec.slowness)];
    const children = Array.from({ length: lives }, () => fork(PROGRAM, args));
    children.forEach(endWithUs);
    await Promise.all(children.map((child) => once(child, 'spawn')));
    const endpoint = new EndpointProcess(spec, children);
    await endpoint.#listen();
    if (spec.isBroken === true) endpoint.send({ kind: 'mode', mode: 'broken' });
    return endpoint;
  }

  get port(): number {
    return this.#port;
  }

  async #listen(): Promise<void> {
    if (this.#port === 0) this.#port = await freePort();
    const child = this.#current;
    child.send({ kind: 'listen', port: this.#port } satisfies EndpointCommand);
    await once(child, 'message');
  }

  send(command: EndpointCommand): void {
    this.#current.send(command);
  }

  signal(signal: NodeJS.Signals): void {
    this.#current.kill(signal);
  }

  /** Makes the next process listen on the port. @throws Error when the previous one has not ended */
  async revive(): Promise<void> {
    const { exitCode, signalCode } = this.#current;
    if (exitCode === null && signalCode === null) throw new Error(`${this.spec.name} has not ended in time`);
    this.#current = this.#lives.shift()!;
    await this.#listen();
  }

  /** Ends all remaining processes. */
  async close(): Promise<void> {
    const left = [this.#current, ...this.#lives].filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    );
    await Promise.all(
      left.map(async (child) => {
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      }),
    );
  }
}
