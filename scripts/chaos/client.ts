// Client of a chaos run: sends each request at its scheduled time over persistent connections (open loop) and never
// repeats one. Thread: main.

import { Agent, type IncomingMessage, request as send } from 'node:http';
import { PADDING } from './endpoint-contract.ts';
import type { Outcome } from './outcome.ts';
import type { Arrival } from './plan.ts';

const TICK_MS = 1;

export interface LoadSettings {
  /** Port of the proxy on 127.0.0.1. */
  readonly port: number;
  readonly arrivals: readonly Arrival[];
  readonly patienceMs: number;
  /** Origin of all times, by performance.now(). */
  readonly startMs: number;
}

/** Resolves when the last request has ended. */
export async function runLoad(settings: LoadSettings): Promise<readonly Outcome[]> {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: Number.POSITIVE_INFINITY });
  const ended: Promise<Outcome>[] = [];
  await new Promise<void>((resolve) => {
    const ticker = setInterval(() => {
      const nowMs = performance.now() - settings.startMs;
      for (let next = settings.arrivals[ended.length]; next !== undefined && next.atMs <= nowMs; ) {
        ended.push(exchange(next, settings, agent));
        next = settings.arrivals[ended.length];
      }
      if (ended.length < settings.arrivals.length) return;
      clearInterval(ticker);
      resolve();
    }, TICK_MS);
  });
  const outcomes = await Promise.all(ended);
  agent.destroy();
  return outcomes;
}

function exchange(arrival: Arrival, { port, patienceMs, startMs }: LoadSettings, agent: Agent): Promise<Outcome> {
  const sentMs = performance.now() - startMs;
  const body = arrival.id + '.'.repeat(arrival.bodyBytes);
  const isPost = arrival.method === 'POST';
  return new Promise((resolve) => {
    const request = send({
      port,
      host: '127.0.0.1',
      method: arrival.method,
      path: `/r/${arrival.id}?work=${arrival.workMs}`,
      agent: arrival.isAlone ? false : agent,
      headers: isPost ? { 'x-request-id': arrival.id, 'content-length': body.length } : { 'x-request-id': arrival.id },
    });
    const finish = (failure: string | null): void => {
      clearTimeout(patience);
      resolve({ arrival, sentMs, endMs: performance.now() - startMs, failure });
    };
    const patience = setTimeout(
      () => {
        finish('time-out');
        request.destroy();
      },
      patienceMs - (sentMs - arrival.atMs),
    );
    request.on('error', (error: NodeJS.ErrnoException) =>
      finish(error.code === 'ECONNRESET' ? 'reset' : (error.code ?? error.message)),
    );
    request.on('response', (response) => read(response, arrival.id, finish));
    request.end(isPost ? body : undefined);
  });
}

/** Only the first call of `finish` counts. */
function read(response: IncomingMessage, id: string, finish: (failure: string | null) => void): void {
  let text = '';
  response.setEncoding('latin1');
  response.on('data', (chunk: string) => (text += chunk));
  response.on('error', () => finish('truncated'));
  response.on('end', () => {
    if (response.statusCode !== 200) finish(String(response.statusCode));
    else finish(text === id + PADDING ? null : 'wrong body');
  });
}
