// Origins of a load test: started, counted, killed and restarted on the same port. Thread: main.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

export class Origin {
  readonly name: string;
  #port = 0;
  #child: ChildProcess | null = null;
  /** Requests served by earlier processes, as last reported. */
  #servedBefore = 0;

  constructor(name: string) {
    this.name = name;
  }

  get port(): number {
    return this.#port;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  async start(): Promise<void> {
    const child = fork(new URL('./origin.ts', import.meta.url), [this.name, String(this.#port)]);
    const [message] = (await once(child, 'message')) as [{ port: number }];
    this.#port = message.port;
    this.#child = child;
  }

  /** Requests served by all processes. */
  async served(): Promise<number> {
    const child = this.#child;
    if (child === null) return this.#servedBefore;
    const answer = once(child, 'message') as Promise<[{ served: number }]>;
    child.send('count');
    return this.#servedBefore + (await answer)[0].served;
  }

  /** Kills it with SIGKILL. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#servedBefore = await this.served();
    this.#child = null;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}

/** Starts `count` origins at once. */
export async function startOrigins(count: number): Promise<readonly Origin[]> {
  const origins = Array.from({ length: count }, (_, index) => new Origin(`origin-${index + 1}`));
  await Promise.all(origins.map((origin) => origin.start()));
  return origins;
}
