// The traffic of the last hour and the error budget over the admin API. Thread: main.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LISTENER_FIELD, UPSTREAM_FIELD } from '../../../../core/memory/lane-fields.ts';
import { ListenerLane, UpstreamLane } from '../../../../proxy/account/lane.ts';
import type { HistoryReply } from '../../../../admin/api/history-schemas.ts';
import { adminAt, LOOPBACK } from '../../../unit/admin/fake-context.ts';
import { AskedServer, errorCode } from '../asked-server.ts';

let asked: AskedServer;

before(async () => {
  asked = await AskedServer.start();
  const { context } = asked;
  context.current = { ...context.current, admin: adminAt(LOOPBACK, { availabilityTarget: 0.99 }) };
  const [api, web] = [new UpstreamLane(context.region, 0, 0), new ListenerLane(context.region, 0, 1)];
  for (const [requests, errors] of [
    [90, 0],
    [110, 1],
  ] as const) {
    api.add(UPSTREAM_FIELD.exchanges, requests);
    api.add(UPSTREAM_FIELD.responses5xx, errors);
    web.add(LISTENER_FIELD.requests, requests);
    web.add(LISTENER_FIELD.responses5xx, errors);
    context.clock.advance(10_000);
  }
});
after(() => asked.server.close());

const historyOf = async (query: string): Promise<HistoryReply> =>
  (await asked.ask('GET', `/api/v1/history${query}`)).json() as unknown as HistoryReply;

test('the history has rates per second of each step, and the budget of the hour', async () => {
  const { times, total, upstreams, budget, leftOut } = await historyOf('');
  assert.deepEqual([times.length, leftOut], [2, 0]);
  assert.deepEqual(
    [total.requestsPerSecond, total.errorsPerSecond],
    [
      [9, 11],
      [0, 0.1],
    ],
  );
  assert.deepEqual(
    upstreams.map(({ name, requestsPerSecond }) => [name, requestsPerSecond]),
    [
      ['api', [9, 11]],
      ['web', [0, 0]],
    ],
  );
  assert.deepEqual(budget, { target: 0.99, requests: 200, errors: 1, usedShare: 0.5 });
});

test('a client gets the steps after a time, and the upstreams that it names', async () => {
  const { times } = await historyOf('');
  const later = await historyOf(`?since=${times[0]!}&upstream=web`);
  assert.deepEqual([later.times, later.upstreams.map(({ name }) => name)], [[times[1]], ['web']]);
  assert.deepEqual((await historyOf('?upstream=')).upstreams, []);
  assert.equal(errorCode(await asked.ask('GET', '/api/v1/history?since=noon')), 'bad-value');
});
