// Counting of ended exchanges and attempts in the lanes. Thread: both.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ExchangeRecord } from '../../../../core/exchange-record.ts';
import { FAILURE_KINDS, type Signal, SIGNALS } from '../../../../core/failure.ts';
import {
  ENDPOINT_FIELDS,
  LATENCY_BUCKETS,
  latencyBucketOf,
  LISTENER_FIELDS,
  UPSTREAM_FIELDS,
} from '../../../../core/memory/lane-fields.ts';
import { Region } from '../../../../core/memory/region.ts';
import { type Termination, TERMINATIONS } from '../../../../core/termination.ts';
import {
  accountExchange,
  countAttempt,
  countBytes,
  countFailure,
  countHead,
  countLease,
  countOutcome,
} from '../../../../proxy/account/account.ts';
import { type EndpointLane, WorkerLanes } from '../../../../proxy/account/lane.ts';
import { connectionOf, phasesOf, recordOf } from '../../logging/access/sample-record.ts';

const CAPACITY = { endpoints: 4, upstreams: 2, workers: 2, listeners: 2 };

/** The fields of a block that aren't zero, by name. */
function nonZero(region: Region, base: number, names: readonly string[]): Record<string, number> {
  const entries = names.map((name, index) => [name, region.doubles[base + index]!] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== 0));
}

function buckets(region: Region, base: number, fieldCount: number): number[] {
  return [...region.doubles.subarray(base + fieldCount, base + fieldCount + LATENCY_BUCKETS)];
}

interface Counted {
  readonly upstream: Record<string, number>;
  readonly listener: Record<string, number>;
  readonly region: Region;
}

function account(...records: readonly Partial<ExchangeRecord>[]): Counted {
  const region = Region.allocate(CAPACITY, 0);
  const lanes = new WorkerLanes(region, 1);
  for (const record of records) accountExchange(recordOf(record), lanes);
  return {
    upstream: nonZero(region, region.upstreamLane(1, 0), UPSTREAM_FIELDS),
    listener: nonZero(region, region.listenerLane(1, 0), LISTENER_FIELDS),
    region,
  };
}

describe('an ended exchange', () => {
  test('counts once at its upstream and its listener, with its class, bytes and latency', () => {
    const { upstream, listener, region } = account({ bytesReceived: 7 });
    assert.deepEqual(upstream, { responses2xx: 1, exchanges: 1, latencySumMs: 109 });
    assert.deepEqual(listener, { requests: 1, responses2xx: 1, bytesReceived: 7, bytesSent: 2750 });
    const filled = buckets(region, region.upstreamLane(1, 0), UPSTREAM_FIELDS.length);
    assert.equal(filled[latencyBucketOf(109)], 1);
    assert.equal(
      filled.reduce((sum, count) => sum + count),
      1,
    );
  });

  test('counts each class of status, and none for a status that was not sent or has no class', () => {
    const statuses = [0, 101, 200, 204, 302, 404, 503, 600, 999, 99];
    const { upstream } = account(...statuses.map((status) => ({ status, phases: phasesOf({ totalMs: -1 }) })));
    assert.deepEqual(upstream, {
      responses1xx: 1,
      responses2xx: 2,
      responses3xx: 1,
      responses4xx: 1,
      responses5xx: 1,
      exchanges: 10,
    });
  });

  test('counts only at its listener when no upstream was found, with its class', () => {
    const { upstream, listener } = account({ upstream: null, endpoint: null, termination: 'noRoute', status: 404 });
    assert.deepEqual(upstream, {});
    assert.deepEqual(listener, { requests: 1, responses4xx: 1, noRoute: 1, bytesSent: 2750 });
  });

  test('counts at the listener of its connection and the upstream of its index', () => {
    const region = Region.allocate(CAPACITY, 0);
    const record = recordOf({ connection: connectionOf({ listenerIndex: 1 }) });
    accountExchange({ ...record, upstream: { ...record.upstream!, index: 1 } }, new WorkerLanes(region, 0));
    assert.equal(nonZero(region, region.upstreamLane(0, 1), UPSTREAM_FIELDS)['exchanges'], 1);
    assert.equal(nonZero(region, region.listenerLane(0, 1), LISTENER_FIELDS)['requests'], 1);
    assert.deepEqual(nonZero(region, region.upstreamLane(0, 0), UPSTREAM_FIELDS), {});
  });

  test('counts its retries, its redispatch, and the reason why no further retry followed', () => {
    const { upstream } = account(
      { attempts: 3, wasRedispatched: true },
      { attempts: 0, retryVerdict: 'refused-body' },
      { retryVerdict: 'refused-budget' },
      { retryVerdict: 'status' },
    );
    assert.equal(upstream['retries'], 2);
    assert.equal(upstream['redispatches'], 1);
    assert.equal(upstream['retriesRefused'], 2);
    assert.equal(upstream['retryBudgetExhausted'], 1);
  });

  test('adds no tunnel to the latency histogram', () => {
    const { upstream } = account({ wasUpgraded: true, status: 101 });
    assert.deepEqual(upstream, { responses1xx: 1, exchanges: 1, upgrades: 1 });
  });

  test('ignores a latency that is no number', () => {
    const { upstream } = account(...[Number.NaN, Infinity, -5].map((totalMs) => ({ phases: phasesOf({ totalMs }) })));
    assert.equal(upstream['latencySumMs'], undefined);
  });
});

const COUNTED_AT_UPSTREAM: Partial<Record<Termination, readonly string[]>> = {
  clientGoneRequest: ['clientAborts'],
  clientTimeoutRequest: ['clientAborts'],
  clientGoneQueue: ['clientAborts'],
  clientGoneConnect: ['clientAborts'],
  clientGoneHead: ['clientAborts'],
  clientGoneData: ['clientAborts'],
  clientTimeoutData: ['clientAborts'],
  queueTimeout: ['queueTimeouts'],
  shed: ['shed'],
  queueFull: ['queueFull'],
  noEndpoint: ['noEndpoint'],
  endpointGoneHead: ['endpointAborts'],
  endpointGoneData: ['endpointAborts', 'truncated'],
  endpointTimeoutData: ['truncated'],
  badResponseData: ['truncated'],
  responseTooLarge: ['truncated'],
};
const COUNTED_AT_LISTENER: Partial<Record<Termination, readonly string[]>> = {
  badRequest: ['badRequests'],
  noRoute: ['noRoute'],
  clientTimeoutRequest: ['timeouts'],
  clientTimeoutData: ['timeouts'],
};

describe('each termination', () => {
  for (const termination of Object.keys(TERMINATIONS) as Termination[]) {
    test(`${termination} adds to its own counters and to no others`, () => {
      const { upstream, listener } = account({ termination, bytesSent: 0, phases: phasesOf({ totalMs: -1 }) });
      const { exchanges, responses2xx, ...ofTermination } = upstream;
      assert.deepEqual([exchanges, responses2xx], [1, 1]);
      assert.deepEqual(Object.keys(ofTermination).toSorted(), COUNTED_AT_UPSTREAM[termination] ?? []);
      const { requests, responses2xx: sent, ...atListener } = listener;
      assert.deepEqual([requests, sent], [1, 1]);
      assert.deepEqual(Object.keys(atListener), COUNTED_AT_LISTENER[termination] ?? []);
    });
  }
});

describe('an attempt', () => {
  function counted(count: (lane: EndpointLane) => void): Record<string, number> {
    const region = Region.allocate(CAPACITY, 0);
    count(new WorkerLanes(region, 0).endpoint(2));
    return nonZero(region, region.endpointLane(0, 2), ENDPOINT_FIELDS);
  }

  test('counts when it begins, and as a retry if it is not the first', () => {
    assert.deepEqual(
      counted((lane) => {
        countAttempt(lane, false);
        countAttempt(lane, true);
      }),
      { attempts: 2, retries: 1 },
    );
  });

  test('counts its connection as opened or reused', () => {
    assert.deepEqual(
      counted((lane) => {
        countLease(lane, true);
        countLease(lane, true);
        countLease(lane, false);
      }),
      { connectionsOpened: 1, connectionsReused: 2 },
    );
  });

  test('counts the class of its response and the time to its head', () => {
    assert.deepEqual(
      counted((lane) => countHead(lane, 302, 4.5)),
      { responses3xx: 1, latencySumMs: 4.5 },
    );
  });

  test('counts bytes in both directions', () => {
    assert.deepEqual(
      counted((lane) => countBytes(lane, 3, 5)),
      { bytesSent: 3, bytesReceived: 5 },
    );
  });

  for (const signal of Object.keys(SIGNALS) as Signal[]) {
    const judged = SIGNALS[signal].window;
    test(`that ends with ${signal} counts as ${judged}`, () => {
      assert.deepEqual(
        counted((lane) => countOutcome(lane, signal)),
        judged === 'ignore' ? {} : { [judged]: 1 },
      );
    });
  }

  const failed: Readonly<Record<string, string>> = {
    'connect-refused': 'failuresConnect',
    'connect-timeout': 'failuresConnect',
    'connect-failed': 'failuresConnect',
    'tls-failed': 'failuresConnect',
    reset: 'failuresReset',
    'response-timeout': 'failuresTimeout',
    'try-timeout': 'failuresTimeout',
    'idle-timeout': 'failuresTimeout',
    'malformed-response': 'failuresProtocol',
    'head-too-large': 'failuresProtocol',
    truncated: 'failuresTruncated',
  };
  for (const kind of FAILURE_KINDS) {
    const field = failed[kind];
    test(`that fails by ${kind} counts ${field ?? 'nothing against the endpoint'}`, () => {
      assert.deepEqual(
        counted((lane) => countFailure(lane, kind)),
        field === undefined ? {} : { [field]: 1 },
      );
    });
  }
});
