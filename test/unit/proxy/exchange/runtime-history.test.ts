// RuntimeHistory on a fake clock: when exchanges end, and which Runtime they hold. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ClientSide } from '../../../../core/exchange-contract.ts';
import type { OpenRevision } from '../../../../core/messages.ts';
import type { Snapshot } from '../../../../core/snapshot/snapshot.ts';
import { Exchange, type ExchangeHooks } from '../../../../proxy/exchange/exchange.ts';
import { STATE, type StateName } from '../../../../proxy/exchange/exchange-state.ts';
import { RuntimeHistory } from '../../../../proxy/exchange/runtime-history.ts';
import { Runtime } from '../../../../proxy/exchange/runtime.ts';
import { seededRandom } from '../../../../core/random.ts';
import { requestHead } from '../../../support/request-head.ts';
import { policyParts } from '../../../support/policies.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { regionFor, snapshot } from '../../../support/snapshots.ts';

const REGION = regionFor(snapshot());

class Bench {
  readonly clock = new FakeClock();
  readonly ended: Exchange[] = [];
  told: readonly OpenRevision[] = [];
  revision = 1;
  readonly runtimes: RuntimeHistory;

  constructor(parts: Partial<Snapshot> = {}) {
    this.runtimes = new RuntimeHistory(this.runtime(parts), {
      clock: this.clock,
      timers: this.clock,
      end: (exchange) => {
        this.ended.push(exchange);
        exchange.openIn!.remove(exchange);
      },
      report: (older) => (this.told = older),
    });
  }

  runtime(parts: Partial<Snapshot>): Runtime {
    const made = snapshot({ revision: this.revision, ...parts });
    return new Runtime(made, { region: REGION, worker: 0, random: seededRandom(1) }, policyParts());
  }

  reload(parts: Partial<Snapshot> = {}): void {
    this.revision++;
    this.runtimes.replace(this.runtime(parts));
  }

  /** Begins an exchange with the first endpoint of the first upstream. */
  open(state: StateName): Exchange {
    const exchange = this.#begin();
    const { runtime } = exchange;
    exchange.routeTo(runtime.snapshot.routes[0]!, [...runtime.upstreams.values()][0]!);
    exchange.tries.endpoint = exchange.target!.snapshot.endpoints[0]!;
    for (const next of ['leasing', 'sent', state] as const) exchange.enter(STATE[next]);
    return exchange;
  }

  /** Begins an exchange that a file answers. */
  openFile(): Exchange {
    const exchange = this.#begin();
    exchange.routeTo(exchange.runtime.snapshot.routes[0]!, null);
    exchange.enter(STATE.relaying);
    return exchange;
  }

  #begin(): Exchange {
    const exchange = new Exchange({} as ExchangeHooks);
    const { runtime } = this.runtimes;
    const start = { client: {} as ClientSide, head: requestHead(), upgrade: null };
    exchange.begin(start, runtime, 1, 1, 1);
    this.runtimes.open.add(exchange);
    return exchange;
  }
}

const WITHOUT_ENDPOINTS = { upstreams: snapshot().upstreams.map((upstream) => ({ ...upstream, endpoints: [] })) };

describe('revisions', () => {
  test('report the open exchanges of earlier revisions until they have ended', () => {
    const bench = new Bench();
    const exchange = bench.open('sent');
    bench.open('sent');
    bench.reload();
    assert.deepEqual(bench.told, [{ revision: 1, exchanges: 2 }]);
    for (const one of exchange.openIn!.items()) one.openIn!.remove(one);
    bench.clock.advance(300);
    assert.deepEqual(bench.told, []);
    assert.equal(bench.clock.pendingCount, 0, 'nothing is left to look after');
  });

  test('end streams of a removed endpoint after reload.drain, and leave requests to their timeouts', () => {
    const bench = new Bench();
    const [tunnel, stream, request] = [bench.open('tunnel'), bench.open('relaying'), bench.open('sent')];
    bench.reload({ ...WITHOUT_ENDPOINTS, reload: { drainMs: 1_000, hardStopMs: 0 } });
    bench.clock.advance(900);
    assert.deepEqual(bench.ended, []);
    bench.clock.advance(400);
    assert.deepEqual(new Set(bench.ended), new Set([tunnel, stream]));
    assert.equal(request.openIn?.size, 1);
  });

  test('end every exchange at reload.hardStop', () => {
    const bench = new Bench();
    const request = bench.open('sent');
    bench.reload({ reload: { drainMs: 0, hardStopMs: 1_000 } });
    const later = bench.open('sent');
    bench.clock.advance(1_300);
    assert.deepEqual(bench.ended, [request]);
    assert.equal(later.openIn, bench.runtimes.open);
  });

  test('move streams to the newest Runtime after a minute or many reloads, and requests never', () => {
    const bench = new Bench();
    const first = bench.runtimes.runtime;
    const [stream, request] = [bench.open('relaying'), bench.open('sent')];
    bench.reload();
    bench.clock.advance(59_000);
    assert.equal(stream.runtime, first);
    bench.clock.advance(2_000);
    assert.equal(stream.runtime, bench.runtimes.runtime);
    assert.equal(stream.target, [...bench.runtimes.runtime.upstreams.values()][0]);
    for (let count = 0; count < 20; count++) bench.reload();
    assert.equal(stream.runtime, bench.runtimes.runtime, 'and again with each that follows');
    assert.equal(request.runtime, first);
    assert.deepEqual(bench.told, [{ revision: 1, exchanges: 2 }]);
  });

  test('move files that are being sent, and never end them for an endpoint', () => {
    const bench = new Bench();
    const file = bench.openFile();
    bench.reload({ ...WITHOUT_ENDPOINTS, reload: { drainMs: 1_000, hardStopMs: 0 } });
    bench.clock.advance(61_000);
    assert.deepEqual([file.runtime, file.target, bench.ended], [bench.runtimes.runtime, null, []]);
  });
});
