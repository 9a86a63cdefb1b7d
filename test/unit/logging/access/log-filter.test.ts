// Which exchanges the access log has lines of. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { buildLogFilter } from '../../../../logging/access/log-filter.ts';
import { requestHead } from '../../../support/request-head.ts';
import { phasesOf, recordOf } from './sample-record.ts';

const NONE = { quietRoutes: [], skippedPaths: [], samplePercent: 100, slowMs: 0 };
const to = (target: string) => ({ head: requestHead({ target }) });

describe('a filter', () => {
  const skipping = { ...NONE, skippedPaths: ['/healthz', '/static/'], slowMs: 1000, quietRoutes: ['quiet'] };
  const cases: readonly (readonly [title: string, record: Parameters<typeof recordOf>[0], isLogged: boolean])[] = [
    ['a success elsewhere', to('/'), true],
    ['a skipped path', to('/healthz'), false],
    ['a skipped path with a query', to('/healthz?x=1'), false],
    ['a path below', to('/healthz/live'), false],
    ['a longer name', to('/healthzz'), true],
    ['a skipped folder', to('/static/a.js'), false],
    ['the folder without its slash', to('/static'), true],
    ['a skipped path that is slow', { ...to('/healthz'), phases: phasesOf({ totalMs: 1000 }) }, true],
    ['a skipped path with an error', { ...to('/healthz'), status: 503 }, true],
    ['a skipped path with a cut response', { ...to('/healthz'), termination: 'endpointGoneData' }, true],
    ['a skipped path with a configured response', { ...to('/healthz'), termination: 'localReply' }, false],
    ['a client that left', { ...to('/healthz'), status: 0, termination: 'clientGoneHead' }, true],
    ['a route that is switched off, whatever happened', { routeName: 'quiet', status: 500 }, false],
    ['a TCP session that ended in order', { head: null, isSession: true, status: 0 }, true],
    ['a TCP session that was reset', { head: null, isSession: true, status: 0, termination: 'endpointGoneData' }, true],
    ['a request that could not be parsed', { head: null, status: 400, termination: 'badRequest', routeName: '' }, true],
  ];
  for (const [title, record, isLogged] of cases) {
    test(`${isLogged ? 'logs' : 'leaves out'} ${title}`, () => {
      assert.equal(buildLogFilter(skipping)(recordOf(record)), isLogged);
    });
  }

  test('logs the configured share of successes, and always the same ones', () => {
    const filter = buildLogFilter({ ...NONE, samplePercent: 10 });
    const chosen = Array.from({ length: 10_000 }, (_, n) => filter(recordOf({ requestId: `request-${n}` })));
    const count = chosen.filter(Boolean).length;
    assert.ok(count > 850 && count < 1150, String(count));
    assert.deepEqual(
      chosen,
      chosen.map((_, n) => filter(recordOf({ requestId: `request-${n}` }))),
    );
    assert.equal(buildLogFilter({ ...NONE, samplePercent: 0 })(recordOf()), false);
    assert.equal(buildLogFilter({ ...NONE, samplePercent: 0 })(recordOf({ status: 500 })), true);
    const session = recordOf({ head: null, isSession: true, status: 0 });
    assert.equal(buildLogFilter({ ...NONE, samplePercent: 0 })(session), false);
  });
});
