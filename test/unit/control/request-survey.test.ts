// Requests in flight of all workers: one message for each survey, a limit for late workers, and bounded lists.
// Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RequestSurvey } from '../../../control/request-survey.ts';
import type { MessageToWorker } from '../../../core/messages.ts';
import {
  mergeRequests,
  MOST_CLIENTS,
  MOST_REQUESTS,
  type RequestInFlight,
  type RequestsInFlight,
} from '../../../core/requests-in-flight.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function request(ageMs: number): RequestInFlight {
  const names = { id: '', client: 'c', listener: 'web', method: 'GET', host: 'h', path: '/', route: '', upstream: '' };
  return { ...names, endpoint: '', phase: 'waiting', ageMs, attempts: 1, bytesReceived: 0, bytesSent: 0 };
}

function listOf(ages: readonly number[], client = 'c'): RequestsInFlight {
  const clients = [{ client, requests: ages.length, bytesReceived: 1, bytesSent: 2 }];
  return { total: ages.length, requests: ages.map(request), clients };
}

function surveyOf(workers: readonly number[]) {
  const clock = new FakeClock();
  const sent: MessageToWorker[] = [];
  const survey = new RequestSurvey({
    timers: clock,
    workers: () => workers,
    broadcast: (message) => sent.push(message),
  });
  return { clock, sent, survey };
}

const ticketOf = (message: MessageToWorker): number => {
  assert.ok(message.kind === 'list-requests');
  return message.ticket;
};

describe('a survey', () => {
  test('asks each worker once for all callers, and merges the answers', async () => {
    const { sent, survey } = surveyOf([0, 1]);
    const [first, second] = [survey.list(), survey.list()];
    assert.equal(sent.length, 1);
    survey.note(0, ticketOf(sent[0]!), listOf([5, 1]));
    survey.note(0, ticketOf(sent[0]!), listOf([9]));
    survey.note(1, ticketOf(sent[0]!), listOf([3], 'd'));
    const found = await first;
    assert.deepEqual(found, await second);
    assert.deepEqual([found.total, found.missingWorkers], [3, []]);
    assert.deepEqual(
      found.requests.map(({ ageMs }) => ageMs),
      [5, 3, 1],
    );
    assert.deepEqual(
      found.clients.map(({ client, requests }) => [client, requests]),
      [
        ['c', 2],
        ['d', 1],
      ],
    );
  });

  test('ends after a second without a busy worker, whose late answer is dropped', async () => {
    const { clock, sent, survey } = surveyOf([0, 1]);
    const result = survey.list();
    survey.note(1, ticketOf(sent[0]!), listOf([3]));
    clock.advance(1_000);
    assert.deepEqual((await result).missingWorkers, [0]);
    const next = survey.list();
    survey.note(0, ticketOf(sent[0]!), listOf([7, 7]));
    survey.note(0, ticketOf(sent[1]!), listOf([]));
    survey.workerGone(1);
    assert.deepEqual([(await next).total, (await next).missingWorkers], [0, []]);
  });

  test('of no workers is empty', async () => {
    assert.equal((await surveyOf([]).survey.list()).total, 0);
  });
});

test('merged lists are bounded, and keep the oldest requests and the clients with the most', () => {
  const ages = Array.from({ length: MOST_REQUESTS }, (_, index) => index);
  const many = Array.from({ length: 40 }, (_, index) => ({
    client: `c${index}`,
    requests: index,
    bytesReceived: 0,
    bytesSent: 0,
  }));
  const merged = mergeRequests([listOf(ages), { ...listOf([1_000]), clients: many }]);
  assert.equal(merged.total, MOST_REQUESTS + 1);
  assert.deepEqual([merged.requests.length, merged.requests[0]!.ageMs], [MOST_REQUESTS, 1_000]);
  assert.deepEqual([merged.clients.length, merged.clients[0]!.requests], [MOST_CLIENTS, MOST_REQUESTS]);
});
