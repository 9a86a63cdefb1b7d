// An HTTP client for integration tests: sends many requests over a few keep-alive connections and counts every outcome.
// Thread: main.

import { Agent, request } from 'node:http';
import { patientMs } from './patience.ts';

/** A load whose requests were all refused for this long ends: a failed test has closed the server and left its load. */
const GONE_MS = patientMs(5_000);

export interface ManyRequests {
  /** Number of requests; or send until `signal` aborts. */
  readonly requests?: number;
  readonly signal?: AbortSignal;
  readonly connections: number;
  readonly method?: string;
  readonly path?: string;
  readonly body?: string;
  readonly headers?: (index: number) => Record<string, string>;
  readonly onBody?: (index: number, body: string) => void;
}

export interface Outcome {
  /** Number of responses by status. */
  readonly statuses: Map<number, number>;
  /** Error codes of requests without a complete response. */
  readonly errors: Map<string, number>;
  sent: number;
}

/** Sends requests from `connections` concurrent loops. */
export async function sendMany(port: number, options: ManyRequests): Promise<Outcome> {
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  const outcome: Outcome = { statuses: new Map(), errors: new Map(), sent: 0 };
  let servedMs = performance.now();
  const mayGoOn = (): boolean =>
    options.signal?.aborted !== true &&
    performance.now() - servedMs < GONE_MS &&
    (options.requests === undefined || outcome.sent < options.requests);
  const loop = async (): Promise<void> => {
    while (mayGoOn()) {
      const index = outcome.sent++;
      try {
        const answer = await sendOne(port, agent, options, index);
        servedMs = performance.now();
        count(outcome.statuses, answer.status);
        options.onBody?.(index, answer.body);
      } catch (error) {
        const cause = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
        if (cause !== 'ECONNREFUSED') servedMs = performance.now();
        count(outcome.errors, cause);
      }
    }
  };
  await Promise.all(Array.from({ length: options.connections }, loop));
  agent.destroy();
  return outcome;
}

function sendOne(
  port: number,
  agent: Agent,
  options: ManyRequests,
  index: number,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', path = '/', body } = options;
    const sent = request({ port, host: '127.0.0.1', agent, method, path, headers: options.headers?.(index) ?? {} });
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('latin1');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    sent.end(body);
  });
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
