// Names that get certificates on demand: permission, bounds, answers to the workers, and the end of a name. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Permission } from '../../../../control/certificates/ask-permission.ts';
import type { KeeperHooks } from '../../../../control/certificates/certificate-keeper.ts';
import { OnDemandNames } from '../../../../control/certificates/on-demand-names.ts';
import type { AutomaticCertificate } from '../../../../core/certificate-facts.ts';
import type { CertificateOffer } from '../../../../core/messages.ts';
import type { AcmeSnapshot, OnDemandSnapshot } from '../../../../core/snapshot/certificates.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type LogLine, recordingLog } from '../../../support/loggers.ts';
import { listenerSnapshot, snapshot } from '../../../support/snapshots.ts';

const HOUR_MS = 3_600_000;

class FakeKeeper {
  pair: { cert: string; key: string } | null = null;
  isStarted = false;
  isStopped = false;
  /** In the storage. */
  stored: { cert: string; key: string } | null = null;
  failure = { retryAtMs: null as number | null, lastError: '' };
  readonly hooks: KeeperHooks;

  constructor(hooks: KeeperHooks) {
    this.hooks = hooks;
  }

  load(): Promise<boolean> {
    this.pair = this.stored;
    return Promise.resolve(this.pair !== null);
  }

  view(): AutomaticCertificate {
    return { ...this.failure } as AutomaticCertificate;
  }

  renewNow(): Promise<void> {
    return Promise.resolve();
  }

  start(): void {
    this.isStarted = true;
  }

  stop(): Promise<void> {
    this.isStopped = true;
    return Promise.resolve();
  }

  issue(): void {
    this.pair = { cert: 'cert', key: 'key' };
    this.hooks.onChange();
  }

  fail(lastError: string, retryAtMs: number): void {
    this.failure = { lastError, retryAtMs };
    this.hooks.onFailure!();
  }
}

class Bench {
  readonly clock = new FakeClock();
  readonly log: LogLine[] = [];
  readonly offers: CertificateOffer[] = [];
  readonly asked: string[] = [];
  readonly keepers = new Map<string, FakeKeeper>();
  permission: Permission = { verdict: 'permitted', reason: '' };
  prepareKeeper: (keeper: FakeKeeper) => void = () => undefined;
  readonly names: OnDemandNames;

  constructor(onDemand: Partial<OnDemandSnapshot> = {}, configured: readonly string[] = []) {
    this.names = new OnDemandNames({
      clock: this.clock,
      log: recordingLog(this.log),
      ask: (_url, name) => {
        this.asked.push(name);
        return Promise.resolve(this.permission);
      },
      newKeeper: (_settings, name, hooks) => {
        const keeper = new FakeKeeper(hooks);
        this.prepareKeeper(keeper);
        this.keepers.set(name, keeper);
        return keeper;
      },
      offer: (offer) => void this.offers.push(offer),
    });
    this.apply(onDemand, configured);
  }

  apply(onDemand: Partial<OnDemandSnapshot> | null, names: readonly string[] = []): void {
    const settings = { ask: 'http://app.test/', names: 10, ordersPerHour: 5, waitMs: 1_000, ...onDemand };
    const acme = { trusted: null, names, onDemand: onDemand === null ? null : settings } as unknown as AcmeSnapshot;
    const tls = { certificates: [], minVersion: 'TLSv1.2' as const, http2: true, acme };
    this.names.apply(snapshot({ listeners: [listenerSnapshot({ name: 'web', tls })] }));
  }

  request(name: string, listener = 'web'): Promise<void> {
    return this.names.handle({ listener, name });
  }

  /** The answers so far, in short: what was offered or why not, and for how many seconds. */
  answers(): string[] {
    return this.offers
      .splice(0)
      .map(({ name, certificate, reason, refusedForMs }) =>
        certificate === null ? `${name}: ${reason}, ${Math.round(refusedForMs / 1000)} s` : `${name}: offered`,
      );
  }
}

describe('names on demand', () => {
  test('a permitted name is ordered once, and offered when it is issued and when it is renewed', async () => {
    const bench = new Bench();
    await Promise.all([bench.request('a.example.com'), bench.request('a.example.com')]);
    await bench.request('a.example.com');
    assert.deepEqual([bench.asked, bench.answers()], [['a.example.com'], []]);
    const keeper = bench.keepers.get('a.example.com')!;
    assert.ok(keeper.isStarted);
    keeper.issue();
    keeper.issue();
    await bench.request('a.example.com');
    assert.deepEqual(bench.answers(), Array(3).fill('a.example.com: offered'));
    assert.deepEqual(
      bench.names.inUse().map(({ listener }) => listener),
      ['web'],
    );
  });

  test('a certificate in the storage needs no order', async () => {
    const bench = new Bench({ ordersPerHour: 1 });
    bench.prepareKeeper = (keeper) => (keeper.stored = { cert: 'old', key: 'old' });
    for (const name of ['a.example.com', 'b.example.com']) await bench.request(name);
    assert.deepEqual(bench.answers(), ['a.example.com: offered', 'b.example.com: offered']);
  });

  const refusals: readonly [string, Permission, string][] = [
    [
      'refused by the application',
      { verdict: 'refused', reason: 'app.test answers 404' },
      'app.test answers 404, 60 s',
    ],
    ['without an answer', { verdict: 'unknown', reason: 'app.test is unreachable' }, 'app.test is unreachable, 5 s'],
  ];
  for (const [what, permission, answer] of refusals) {
    test(`a name ${what} is not ordered`, async () => {
      const bench = new Bench();
      bench.permission = permission;
      await bench.request('a.example.com');
      assert.deepEqual(bench.answers(), [`a.example.com: ${answer}`]);
      assert.equal(bench.keepers.size, 0);
    });
  }

  test('nobody is asked about names that no CA certifies, nor for a listener without certificates on demand', async () => {
    const bench = new Bench();
    const impossible = [
      'localhost',
      '10.0.0.1',
      '../../etc',
      '*.example.com',
      'db.internal',
      '',
      `${'a'.repeat(300)}.com`,
    ];
    for (const name of impossible) await bench.request(name);
    assert.deepEqual(
      bench.answers(),
      impossible.map((name) => `${name}: the CA certifies no such name, 3600 s`),
    );
    await bench.request('a.example.com', 'other');
    assert.deepEqual(bench.answers(), ['a.example.com: the listener issues no certificates on demand, 0 s']);
    assert.deepEqual(bench.asked, []);
  });

  test('names and orders are bounded, with one log line a minute', async () => {
    const bench = new Bench({ names: 2, ordersPerHour: 1 });
    await bench.request('a.example.com');
    await bench.request('b.example.com');
    assert.deepEqual(bench.answers(), ['b.example.com: too many orders, 10 s']);
    bench.clock.advance(HOUR_MS);
    await bench.request('b.example.com');
    await bench.request('c.example.com');
    assert.deepEqual(bench.answers(), ['c.example.com: the limit of names is reached, 10 s']);
    assert.deepEqual(bench.asked, ['a.example.com', 'b.example.com', 'b.example.com']);
    const texts = bench.log.filter(({ level }) => level === 'warn').map(({ text }) => text);
    assert.match(texts.join('\n'), /raise acme\.onDemand\.ordersPerHour\n.*raise acme\.onDemand\.names$/);
  });

  test('a failed first order refuses the name until its plan permits the next one', async () => {
    const bench = new Bench();
    await bench.request('a.example.com');
    const keeper = bench.keepers.get('a.example.com')!;
    keeper.fail('preflight failed', bench.clock.wallMs() + 90_000);
    assert.deepEqual(bench.answers(), ['a.example.com: preflight failed, 90 s']);
    assert.ok(keeper.isStopped);
    bench.prepareKeeper = (next) =>
      (next.failure = { lastError: 'preflight failed', retryAtMs: bench.clock.wallMs() + 50_000 });
    await bench.request('a.example.com');
    assert.deepEqual(bench.answers(), ['a.example.com: preflight failed, 50 s']);
  });

  test('a failed renewal keeps the certificate; a name that is refused by then ends', async () => {
    const bench = new Bench();
    await bench.request('a.example.com');
    const keeper = bench.keepers.get('a.example.com')!;
    keeper.issue();
    keeper.fail('CA is unreachable', bench.clock.wallMs() + 90_000);
    bench.permission = { verdict: 'unknown', reason: 'app.test is unreachable' };
    await assert.rejects(keeper.hooks.permit!(), /^Error: renewal is not permitted: app\.test is unreachable$/);
    assert.deepEqual(bench.answers(), ['a.example.com: offered']);
    bench.permission = { verdict: 'refused', reason: 'app.test answers 404' };
    await assert.rejects(keeper.hooks.permit!(), /renewal is not permitted/);
    assert.deepEqual(bench.answers(), ['a.example.com: app.test answers 404, 60 s']);
    assert.ok(keeper.isStopped);
    assert.deepEqual(bench.names.list(), []);
  });

  test('a reload keeps the names unless their settings change', async () => {
    const bench = new Bench();
    for (const name of ['a.example.com', 'b.example.com']) await bench.request(name);
    bench.apply({}, ['a.example.com']);
    assert.deepEqual(bench.answers(), ['a.example.com: the settings of its listener have changed, 0 s']);
    assert.ok(!bench.keepers.get('b.example.com')!.isStopped);
    bench.apply(null);
    assert.deepEqual(bench.answers(), ['b.example.com: the settings of its listener have changed, 0 s']);
  });
});
