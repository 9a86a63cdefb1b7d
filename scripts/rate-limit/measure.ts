// Requests that a rate limit allows, against what it should: the clock of the limiter is only known to lie between the
// sending of a request and its response, so that the expectation is a range. A busy machine widens it and fails nothing: it
// begins when the burst is used up, before which a slow client loses what it doesn't use. Thread: main.

import { Agent, get } from 'node:http';

export interface RateOrder {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  /** Of the limit, in requests and requests a second. A burst is regained in more time than the client may stall. */
  readonly burst: number;
  readonly perSecond: number;
}

export interface RateFigures {
  readonly allowed: number;
  readonly refused: number;
  /** Range of the expected number of allowed requests. */
  readonly least: number;
  readonly most: number;
}

interface Tally {
  allowed: number;
  refused: number;
  readonly firstSentMs: number;
  /** When the first refusal was received, and the last refused request was sent: the burst was used up at both times. */
  firstRefusalMs: number;
  lastRefusedMs: number;
}

/** Sends requests as fast as possible, at the end until each connection has been refused. */
export async function measureRate(order: RateOrder): Promise<RateFigures> {
  const tally = { allowed: 0, refused: 0, firstSentMs: performance.now(), firstRefusalMs: 0, lastRefusedMs: 0 };
  const deadlineMs = tally.firstSentMs + order.seconds * 1000;
  await Promise.all(Array.from({ length: order.connections }, () => runConnection(order, deadlineMs, tally)));
  const endMs = performance.now();
  const expected = (fromMs: number, toMs: number): number => order.burst + (order.perSecond * (toMs - fromMs)) / 1000;
  return {
    allowed: tally.allowed,
    refused: tally.refused,
    least: expected(tally.firstRefusalMs, tally.lastRefusedMs) - 1,
    most: expected(tally.firstSentMs, endMs) + 1,
  };
}

async function runConnection({ port, path }: RateOrder, deadlineMs: number, tally: Tally): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (;;) {
      const sentMs = performance.now();
      const status = await statusOf(port, path, agent);
      if (status === 200) tally.allowed += 1;
      else if (status === 429) tally.refused += 1;
      else throw new Error(`unexpected status ${status}`);
      if (status === 200) continue;
      tally.firstRefusalMs ||= performance.now();
      tally.lastRefusedMs = Math.max(tally.lastRefusedMs, sentMs);
      if (sentMs > deadlineMs) return;
    }
  } finally {
    agent.destroy();
  }
}

function statusOf(port: number, path: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = get({ port, path, agent, timeout: 10_000 }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode!));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('no response within 10 s')));
    request.on('error', reject);
  });
}
