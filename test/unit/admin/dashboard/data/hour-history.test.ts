// The last hour as the page keeps it: answers are joined, gaps are unknown, and old steps leave. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HourHistory } from '../../../../../admin/dashboard/data/hour-history.ts';
import { ListenerRates } from '../../../../../admin/dashboard/data/listener-rates.ts';
import type { HistoryReply } from '../../../../../admin/api/history-schemas.ts';

function hour(from: number, rates: readonly number[], upstreams: readonly string[]): HistoryReply {
  const values = [...rates];
  const series = { errorsPerSecond: values, p50Ms: values, p99Ms: values, inFlight: values, queued: values };
  const all = { requestsPerSecond: values, saturation: values, ...series };
  return {
    stepSeconds: 10,
    times: values.map((_, index) => new Date((from + index) * 10_000).toISOString()),
    total: all,
    upstreams: upstreams.map((name) => ({ name, ...all })),
    leftOut: 0,
    budget: { target: 0.999, requests: 10, errors: 0, usedShare: 0 },
  };
}

test('answers are joined without repeated steps; an upstream that is new was not known before', () => {
  const history = new HourHistory();
  history.add(hour(1, [1, 2], ['api', 'old']));
  history.add(hour(2, [2, 3], ['api', 'new']));
  assert.deepEqual(history.read('', 'requestsPerSecond'), [
    [10, 20, 30],
    [1, 2, 3],
  ]);
  assert.deepEqual(history.read('new', 'p99Ms')[1], [null, null, 3]);
  assert.deepEqual(history.read('old', 'p99Ms')[1], [null, null, null]);
  assert.deepEqual([history.highest('p99Ms'), history.last('api', 'queued')], [3, 3]);
  history.add(hour(4, [], ['api']));
  assert.equal(history.newest, new Date(30_000).toISOString());
});

test('an hour is kept', () => {
  const history = new HourHistory();
  for (let from = 0; from < 800; from += 100)
    history.add(
      hour(
        from,
        Array.from({ length: 100 }, () => from),
        ['api'],
      ),
    );
  const [times, rates] = history.read('api', 'requestsPerSecond');
  assert.deepEqual([times.length, times[0], rates![0], rates!.at(-1)], [360, 4_400, 400, 700]);
});

test('rates of listeners are differences of their counts over ten seconds', () => {
  const rates = new ListenerRates();
  const add = (second: number, requests: number): void => {
    const listeners = [{ name: 'web', requests }] as unknown as Parameters<ListenerRates['add']>[0]['listeners'];
    rates.add({ at: new Date(second * 1000).toISOString(), listeners });
  };
  add(0, 100);
  assert.equal(rates.of('web'), null);
  add(5, 150);
  assert.deepEqual([rates.of('web'), rates.of('other')], [10, null]);
  add(12, 220);
  assert.equal(rates.of('web'), 10);
});
