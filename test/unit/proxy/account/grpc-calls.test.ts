// Counts of gRPC calls by method: names, their bound, and totals over workers. Thread: main.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GrpcCallTotals } from '../../../../control/grpc-call-totals.ts';
import { MAX_METHODS } from '../../../../core/grpc-calls.ts';
import { GrpcCalls } from '../../../../proxy/account/grpc-calls.ts';
import { snapshot, upstreamSnapshot } from '../../../support/snapshots.ts';

const OK = 0;
const UNKNOWN = 2;
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;

function bench() {
  const totals = new GrpcCallTotals();
  const calls = new GrpcCalls((counts) => totals.add(counts));
  const end = (path: string, status: number, isOwn = false, upstream = 'api') =>
    calls.ended(upstream, path, status, isOwn, { request: 2, response: 3 });
  const list = () => {
    calls.report();
    return totals.list().map(({ upstream, method, calls: statuses, requestMessages, responseMessages }) => {
      const counted = statuses.flatMap((count, status) => (count === 0 ? [] : [`${status}x${count}`]));
      return `${upstream} ${method} ${counted.join(' ')} ${requestMessages}/${responseMessages}`;
    });
  };
  return { totals, calls, end, list };
}

test('calls are counted by method and status, with their messages', () => {
  const { end, list } = bench();
  end('/shop.v1.Orders/Get', OK);
  end('/shop.v1.Orders/Get', UNAVAILABLE);
  end('/shop.v1.Orders/List', OK);
  assert.deepEqual(list(), ['api shop.v1.Orders/Get 0x1 14x1 4/6', 'api shop.v1.Orders/List 0x1 2/3']);
  end('/shop.v1.Orders/Get', OK);
  assert.deepEqual(list(), ['api shop.v1.Orders/Get 0x2 14x1 6/9', 'api shop.v1.Orders/List 0x1 2/3']);
});

test('a method has a name once an endpoint has served it', () => {
  const { end, list } = bench();
  end('/a.B/Nothing', UNIMPLEMENTED);
  end('/a.B/Get', UNAVAILABLE, true);
  assert.deepEqual(list(), ['api other 12x1 14x1 4/6']);
  end('/a.B/Get', OK);
  end('/a.B/Get', UNAVAILABLE, true);
  assert.deepEqual(list(), ['api other 12x1 14x1 4/6', 'api a.B/Get 0x1 14x1 4/6']);
});

test('paths that are none of gRPC, and statuses that are none, have a label of their own', () => {
  const { end, list } = bench();
  for (const path of ['/', '/a', '/a/b/c', '/a.B/Get?x', '/a b/c', `/a/${'m'.repeat(300)}`]) end(path, OK);
  end('/a.B/Get', 99);
  assert.deepEqual(list(), ['api other 0x6 12/18', `api a.B/Get ${UNKNOWN}x1 2/3`]);
});

test('an upstream has a bounded number of methods, and other upstreams have theirs', () => {
  const { end, list } = bench();
  for (let at = 0; at < MAX_METHODS + 50; at += 1) end(`/a.B/M${at}`, OK);
  end('/a.B/M0', OK, false, 'web');
  const lines = list();
  assert.equal(lines.filter((line) => line.startsWith('api ')).length, MAX_METHODS + 1);
  assert.ok(lines.includes('api other 0x50 100/150'));
  assert.ok(lines.includes('web a.B/M0 0x1 2/3'));
});

test('counts end with their upstream', () => {
  const { totals, end, list } = bench();
  end('/a.B/Get', OK);
  end('/a.B/Get', OK, false, 'web');
  assert.equal(list().length, 2);
  totals.apply(snapshot({ upstreams: [upstreamSnapshot({ name: 'web' })] }));
  assert.deepEqual(list(), ['web a.B/Get 0x1 2/3']);
});
