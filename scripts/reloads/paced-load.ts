// Requests at a fixed rate, most on persistent connections, some on new ones. A request without a complete 200 response
// has failed. Thread: main.

import { Agent, request } from 'node:http';

const TICK_MS = 5;

export interface PacedLoadOptions {
  readonly port: number;
  readonly perSecond: number;
  /** One in this many requests uses a new connection. */
  readonly freshEvery: number;
  /** Persistent connections. */
  readonly kept: number;
  readonly paths: readonly string[];
}

export interface PacedLoadResult {
  readonly requests: number;
  /** Number of failures by cause. */
  readonly failures: ReadonlyMap<string, number>;
  readonly longestMs: number;
  readonly seconds: number;
}

export function startPacedLoad(options: PacedLoadOptions): { stop(): Promise<PacedLoadResult> } {
  const agent = new Agent({ keepAlive: true, maxSockets: options.kept });
  const failures = new Map<string, number>();
  const open = new Set<Promise<void>>();
  const begunMs = performance.now();
  let sent = 0;
  let longestMs = 0;
  const send = (): void => {
    const number = sent++;
    const isFresh = number % options.freshEvery === 0;
    const path = options.paths[number % options.paths.length]!;
    const sentMs = performance.now();
    const over = sendOne(options.port, path, isFresh ? false : agent).then((failure) => {
      longestMs = Math.max(longestMs, performance.now() - sentMs);
      if (failure !== null) {
        const what = `${isFresh ? 'new' : 'kept'} ${failure}`;
        failures.set(what, (failures.get(what) ?? 0) + 1);
      }
      open.delete(over);
    });
    open.add(over);
  };
  const timer = setInterval(() => {
    const due = ((performance.now() - begunMs) / 1_000) * options.perSecond;
    for (let missing = Math.ceil(due) - sent; missing > 0; missing--) send();
  }, TICK_MS);
  return {
    stop: async () => {
      clearInterval(timer);
      const seconds = (performance.now() - begunMs) / 1_000;
      await Promise.all(open);
      agent.destroy();
      return { requests: sent, failures, longestMs, seconds };
    },
  };
}

/** Resolves with the cause of a failure, or null. */
function sendOne(port: number, path: string, agent: Agent | false): Promise<string | null> {
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port, agent, path });
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(`${error.code ?? error.message} on ${path}`));
    sent.on('response', (response) => {
      response.resume();
      response.on('error', (error: NodeJS.ErrnoException) => resolve(`${error.code ?? error.message} in the response`));
      response.on('end', () =>
        resolve(response.statusCode === 200 ? null : `status ${response.statusCode} on ${path}`),
      );
    });
    sent.end();
  });
}
