// Load for a takeover: persistent connections that are reused after pauses of any length, and new connections all the
// time. A request without a complete 200 response has failed, even if a client could have retried it. Thread: main.

import { Agent, request } from 'node:http';

export interface MixedLoadOptions {
  readonly port: number;
  /** Persistent connections that send the next request after each response. */
  readonly busy: number;
  /** Persistent connections that pause between requests. */
  readonly pausing: number;
  /** Longest pause in ms; each is drawn between 0 and this. */
  readonly pauseMs: number;
  /** Loops in which every request has a connection of its own. */
  readonly fresh: number;
  /** Longest pause in ms of the busy and the fresh ones; 0 loads all cores. */
  readonly gapMs?: number;
}

export interface MixedLoadResult {
  readonly requests: number;
  /** Number of failures by kind of connection, code and phase. */
  readonly failures: ReadonlyMap<string, number>;
  readonly failed: number;
  /** Number of opened connections. */
  readonly connections: number;
  readonly longestMs: number;
  readonly seconds: number;
}

export interface MixedLoad {
  /** Requests so far. */
  readonly requests: () => number;
  stop(): Promise<MixedLoadResult>;
}

/** Starts at once and runs until it is stopped. */
export function startMixedLoad(options: MixedLoadOptions): MixedLoad {
  const tally = new Tally();
  const stopping = new AbortController();
  const begunMs = performance.now();
  const loop = async (kind: string, agent: Agent | false, pauseMs: number): Promise<void> => {
    while (!stopping.signal.aborted) {
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * pauseMs));
      const sentMs = performance.now();
      const failure = await sendOne(options.port, agent, tally);
      tally.count(failure === null ? null : `${kind} ${failure}`, performance.now() - sentMs);
      // Do not retry a refusing port in a tight loop.
      if (failure !== null) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (agent !== false) agent.destroy();
  };
  const kept = (): Agent => new Agent({ keepAlive: true, maxSockets: 1 });
  const loops = [
    ...Array.from({ length: options.busy }, () => loop('busy', kept(), options.gapMs ?? 0)),
    ...Array.from({ length: options.pausing }, () => loop('pausing', kept(), options.pauseMs)),
    ...Array.from({ length: options.fresh }, () => loop('fresh', false, options.gapMs ?? 0)),
  ];
  return {
    requests: () => tally.requests,
    stop: async () => {
      stopping.abort();
      await Promise.all(loops);
      return tally.result((performance.now() - begunMs) / 1000);
    },
  };
}

class Tally {
  requests = 0;
  connections = 0;
  readonly #failures = new Map<string, number>();
  #longestMs = 0;

  count(failure: string | null, tookMs: number): void {
    this.requests++;
    this.#longestMs = Math.max(this.#longestMs, tookMs);
    if (failure !== null) this.#failures.set(failure, (this.#failures.get(failure) ?? 0) + 1);
  }

  result(seconds: number): MixedLoadResult {
    const failures = this.#failures;
    const failed = [...failures.values()].reduce((sum, count) => sum + count, 0);
    const { requests, connections } = this;
    return { requests, connections, failures, failed, longestMs: this.#longestMs, seconds };
  }
}

/** Resolves with the cause of a failure, or null. */
function sendOne(port: number, agent: Agent | false, tally: Tally): Promise<string | null> {
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port, agent, path: '/' });
    sent.on('socket', () => {
      if (!sent.reusedSocket) tally.connections++;
    });
    sent.on('error', (error: NodeJS.ErrnoException) => {
      resolve(`${error.code ?? error.message}${sent.reusedSocket ? ' on a reused connection' : ''}`);
    });
    sent.on('response', (response) => {
      response.resume();
      response.on('error', (error: NodeJS.ErrnoException) => resolve(`${error.code ?? error.message} in the response`));
      response.on('end', () => resolve(response.statusCode === 200 ? null : `status ${response.statusCode}`));
    });
    sent.end();
  });
}
