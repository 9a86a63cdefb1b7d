// Transforms of response bodies within exchanges: order, back-pressure from the client to the endpoint, ends, failures and
// byte counts; and the policy compress on top of them. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import zlib from 'node:zlib';
import { ENDPOINT_FIELD, POLICY_FIELD } from '../../../../core/memory/lane-fields.ts';
import type { BodySink, BodyTransform, Policy } from '../../../../core/policy/policy.ts';
import type { PluginPolicy } from '../../../../core/policy/policy-definition.ts';
import { compress } from '../../../../proxy/policies/compress.ts';
import { composePlan } from '../../../../proxy/policies/policy-plan.ts';
import { PolicyView, type ViewedExchange } from '../../../../proxy/policies/policy-view.ts';
import { ForwardingBench, type PlayedClient, responseHead } from '../../../support/forwarding.ts';
import { policySnapshot, routeSnapshot, snapshot } from '../../../support/snapshots.ts';
import { turnWithTime } from '../../../support/turn-with-time.ts';

/** Appends its mark to each chunk; what it does else is up to the test. */
class Marked implements BodyTransform {
  readonly sink: BodySink;
  readonly log: string[] = [];
  readonly #mark: string;
  isFull = false;
  isEndHeld = false;

  constructor(sink: BodySink, mark: string) {
    this.sink = sink;
    this.#mark = mark;
  }
  write(chunk: Uint8Array): boolean {
    if (Buffer.from(chunk).toString() === 'throw') throw new Error('a fault');
    return this.sink.data(Buffer.from(`${Buffer.from(chunk).toString()}${this.#mark}`)) && !this.isFull;
  }
  end(): void {
    this.log.push('end');
    if (!this.isEndHeld) this.sink.end();
  }
  resume(): void {
    this.log.push('resume');
    if (!this.isFull) this.sink.ready();
  }
  cancel(): void {
    this.log.push('cancel');
  }
}

interface Bench {
  readonly bench: ForwardingBench;
  /** Transforms of the last response, in the order in which the body passes them. */
  readonly opened: Marked[];
  readonly client: PlayedClient;
}

function policyOf(name: string, policy: Policy, needs: PluginPolicy['needs']): PluginPolicy {
  const rest = { scope: 'route', stage: 'shape', budgetMs: 10, waitMs: 1000, options: () => ({}) } as const;
  return { ...rest, name, needs, compile: () => ({}), create: () => policy };
}

function start(marks: readonly string[], more: { readonly method?: string; readonly open?: () => void } = {}): Bench {
  const opened: Marked[] = [];
  const plugins = marks.map((mark) =>
    policyOf(
      mark,
      {
        onResponse(exchange): undefined {
          exchange.transformBody((sink) => {
            more.open?.();
            const transform = new Marked(sink, mark);
            opened.push(transform);
            return transform;
          });
        },
      },
      ['transform-response-body'],
    ),
  );
  const policies = marks.map((mark, index) => policySnapshot(mark, {}, { index, needs: ['transform-response-body'] }));
  const bench = new ForwardingBench(
    snapshot({ routes: [routeSnapshot({ policies })] }),
    new Map(plugins.map((plugin) => [plugin.name, plugin])),
  );
  return { bench, opened, client: bench.request({ method: more.method ?? 'GET' }) };
}

const received = ({ bench }: Bench): number =>
  bench.region.doubles[bench.region.endpointLane(0, bench.last.slot) + ENDPOINT_FIELD.bytesReceived]!;

describe('a transform', () => {
  test('passes the body on, behind those of later policies', () => {
    const one = start(['a', 'b']);
    one.bench.last.answer(200, 'body');
    assert.deepEqual(one.client.log, ['head 200', 'data bodyba', 'end']);
    assert.equal(one.client.head?.hasLength, false);
    assert.deepEqual([one.bench.records[0]?.bytesSent, received(one)], [6, 4]);
    const lane = one.bench.region.policyLane(0, 0);
    const counted = (field: number) => one.bench.region.doubles[lane + field];
    assert.deepEqual(
      [counted(POLICY_FIELD.bodies), counted(POLICY_FIELD.bodyBytesIn), counted(POLICY_FIELD.bodyBytesOut)],
      [1, 5, 6],
    );
  });

  test('may end later, with the trailers', () => {
    const one = start(['a']);
    const { events } = one.bench.last;
    events.onLease(false);
    events.onHead(responseHead(200));
    one.opened[0]!.isEndHeld = true;
    events.onData(Buffer.from('x'));
    events.onEnd(['X-Sum', '1']);
    assert.deepEqual([one.client.log, one.bench.records.length], [['head 200', 'data xa'], 0]);
    one.opened[0]!.sink.data(Buffer.from('tail'));
    one.opened[0]!.sink.end();
    assert.deepEqual(one.client.log.slice(2), ['data tail', 'end X-Sum,1']);
    assert.deepEqual([one.bench.records[0]?.bytesSent, one.bench.records[0]?.termination], [6, 'ok']);
    one.opened[0]!.sink.data(Buffer.from('late'));
    one.opened[0]!.sink.end();
    assert.equal(one.client.log.length, 4, 'nothing follows the end');
  });

  test('is not opened for HEAD, and leaves 204 and 304 alone', () => {
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 204],
      ['GET', 304],
    ] as const) {
      const one = start(['a'], { method });
      one.bench.last.answer(status, '');
      assert.deepEqual([one.opened.length, one.client.log], [0, [`head ${status}`, 'end']]);
    }
  });

  test('is refused for a request for an upgrade, whose response the tunnel relays', () => {
    const view = new PolicyView({ upgrade: {} } as ViewedExchange);
    const policy = policyOf('a', {}, ['transform-response-body']);
    view.begin(composePlan([{ ...policy, lane: 0, isTimed: false, policy: {} }]));
    view.beginResponse(responseHead(400));
    view.entry = view.plan.entries[0]!;
    assert.equal(
      view.transformBody(() => assert.fail('it must not be opened')),
      false,
    );
    assert.equal(view.transforms, null);
  });

  test('slows the endpoint down while the client, or it itself, takes nothing', () => {
    const one = start(['a', 'b']);
    const { events } = one.bench.last;
    events.onLease(false);
    events.onHead(responseHead(200));
    one.client.hasRoom = false;
    assert.equal(events.onData(Buffer.from('x')), false);
    one.client.events!.onClientDrain();
    assert.deepEqual([one.opened.map(({ log }) => log), one.bench.last.resumes], [[['resume'], ['resume']], 1]);
    one.client.hasRoom = true;
    one.opened[0]!.isFull = true;
    assert.equal(events.onData(Buffer.from('x')), false, 'the first one is full by itself');
  });

  test('is cancelled where the client leaves, during the response and behind it', () => {
    for (const isEnded of [false, true]) {
      const one = start(['a']);
      const { events } = one.bench.last;
      events.onLease(false);
      events.onHead(responseHead(200));
      one.opened[0]!.isEndHeld = true;
      events.onData(Buffer.from('x'));
      if (isEnded) events.onEnd(null);
      one.client.events!.onClientGone('closed');
      assert.equal(one.opened[0]!.log.at(-1), 'cancel');
      assert.equal(one.bench.records[0]?.termination, 'clientGoneData');
      one.opened[0]!.sink.data(Buffer.from('late'));
      assert.deepEqual(one.client.log, ['head 200', 'data xa', 'cut']);
    }
  });

  test('that fails cuts its response alone, and is counted', () => {
    const failing: readonly ((one: Bench) => void)[] = [
      ({ bench }) => bench.last.events.onData(Buffer.from('throw')),
      ({ opened }) => opened[0]!.sink.fail(new Error('a fault')),
    ];
    for (const fail of failing) {
      const one = start(['a']);
      one.bench.last.events.onLease(false);
      one.bench.last.events.onHead(responseHead(200));
      fail(one);
      assert.deepEqual([one.client.log, one.bench.records[0]?.termination], [['head 200', 'cut'], 'policyFailed']);
      assert.equal(one.bench.region.doubles[one.bench.region.policyLane(0, 0) + POLICY_FIELD.errors], 1);
      assert.deepEqual([one.bench.last.isAborted, one.bench.inflight(one.bench.last.slot)], [true, 0]);
    }
  });

  test('that cannot be opened answers 500', () => {
    const one = start(['a'], {
      open: () => {
        throw new Error('a fault');
      },
    });
    one.bench.last.answer(200, 'body');
    assert.deepEqual(one.client.log, ['reply 500']);
  });
});

describe('compression', () => {
  const BODY = 'a text that repeats itself, '.repeat(1000);

  function compressing(options: object = {}): ForwardingBench {
    const types = [{ before: 'text/plain', after: '', isExact: true }];
    const data = { compress: { codings: ['gzip'], effort: 'balanced', types, minBytes: 10, streams: 1, ...options } };
    const policies = [policySnapshot('compress', data, { needs: compress.needs })];
    return new ForwardingBench(snapshot({ routes: [routeSnapshot({ policies })] }));
  }

  const request = (bench: ForwardingBench): PlayedClient => bench.request({ fields: ['Accept-Encoding', 'gzip'] });
  const codingOf = ({ extra }: PlayedClient): string | undefined => extra[extra.indexOf('Content-Encoding') + 1];
  const isCoded = (client: PlayedClient): boolean =>
    client.extra.includes('Content-Encoding') && codingOf(client) === 'gzip';

  test('counts what the client got as sent, and what the endpoint sent as received', async () => {
    await turnWithTime();
    const bench = compressing();
    const client = request(bench);
    bench.last.answer(200, BODY, ['Content-Type', 'text/plain']);
    assert.ok(isCoded(client));
    const { bytesSent } = bench.records[0]!;
    assert.equal(bytesSent, zlib.gzipSync(BODY, { level: 4 }).length);
    assert.equal(received({ bench } as Bench), BODY.length);
  });

  test('is bounded: further bodies are sent as they are, until one has ended or was cancelled', () => {
    const bench = compressing();
    const begin = (): PlayedClient => {
      const client = request(bench);
      bench.last.events.onLease(false);
      bench.last.events.onHead(responseHead(200, ['Content-Type', 'text/plain']));
      return client;
    };
    const first = begin();
    assert.deepEqual([isCoded(first), isCoded(begin())], [true, false]);
    first.events!.onClientGone('closed');
    assert.equal(isCoded(begin()), true);
  });

  test('stops while the process is overloaded', async () => {
    const bench = compressing();
    const coded: [boolean, number][] = [];
    for (const pressure of [0, 0.6, 0.85]) {
      await turnWithTime();
      bench.pressure = pressure;
      const client = request(bench);
      bench.last.answer(200, BODY, ['Content-Type', 'text/plain']);
      coded.push([isCoded(client), bench.records.at(-1)!.bytesSent]);
    }
    const bytesAt = (level: number): number => zlib.gzipSync(BODY, { level }).length;
    assert.deepEqual(coded, [
      [true, bytesAt(4)],
      [true, bytesAt(1)],
      [false, BODY.length],
    ]);
  });
});
