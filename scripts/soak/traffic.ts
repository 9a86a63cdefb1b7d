// Traffic of a soak: clients that alternate acts and pauses, each keeping its connection as long as it is allowed to.
// Thread: main.

import { setTimeout as pause } from 'node:timers/promises';
import { type Random, seededRandom } from '../../core/random.ts';
import { drawAct } from './acts.ts';
import type { SoakOptions } from './options.ts';
import { WireConnection } from './wire-connection.ts';

const KEPT_FAILURES = 20;

export class Traffic {
  readonly #options: SoakOptions;
  readonly #ports: { readonly web: number; readonly tls: number };
  #isEnding = false;
  #acts = 0;
  #failed = 0;
  /** The first failures, as text. */
  readonly failures: string[] = [];

  constructor(options: SoakOptions, ports: { readonly web: number; readonly tls: number }) {
    this.#options = options;
    this.#ports = ports;
  }

  get acts(): number {
    return this.#acts;
  }

  get failed(): number {
    return this.#failed;
  }

  /** Resolves when all clients have left, after `stop`. */
  async run(): Promise<void> {
    const { clients, seed } = this.#options;
    const random = (client: number): Random => seededRandom(seed * 10_007 + client);
    await Promise.all(Array.from({ length: clients }, (_, client) => this.#live(client % 2 === 1, random(client))));
  }

  stop(): void {
    this.#isEnding = true;
  }

  async #live(isTls: boolean, random: Random): Promise<void> {
    const port = isTls ? this.#ports.tls : this.#ports.web;
    let connection: WireConnection | null = null;
    while (!this.#isEnding) {
      await pause(random.next() * 2 * this.#options.pauseMs);
      this.#acts += 1;
      try {
        // The listener may close an idle connection between two acts; neither act has failed then.
        if (connection === null || connection.isOver) connection = await WireConnection.open(port, isTls);
        if (await drawAct(random)(connection, random)) continue;
        connection.leave('fin');
      } catch (error) {
        this.#failed += 1;
        if (this.failures.length < KEPT_FAILURES) this.failures.push((error as Error).message);
        connection?.leave('destroy');
      }
      connection = null;
    }
    connection?.leave('fin');
  }
}
