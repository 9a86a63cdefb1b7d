// The memory of a worker for certificates on demand: waiting handshakes, refusals, changes. Thread: worker.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CertificateOffer, CertificateRequest } from '../../../../../core/messages.ts';
import { OnDemandCertificates } from '../../../../../proxy/downstream/accept/on-demand-certificates.ts';
import { FakeClock } from '../../../../support/fake-clock.ts';

const CERTIFICATE = { cert: 'cert', key: 'key', names: ['a.test'], files: null };

class Bench {
  readonly clock = new FakeClock();
  readonly requests: CertificateRequest[] = [];
  /** 'certificate' or the reason, in the order of the calls. */
  readonly outcomes: string[] = [];
  readonly certificates = new OnDemandCertificates({
    clock: this.clock,
    timers: this.clock,
    request: (request) => void this.requests.push(request),
  });

  obtain(name = 'a.test', waitMs = 1_000): () => void {
    return this.certificates.obtain({ listener: 'web', name }, waitMs, (certificate, reason) => {
      this.outcomes.push(certificate === null ? reason : 'certificate');
    });
  }

  take(parts: Partial<CertificateOffer>): void {
    const refusal = { certificate: null, reason: 'refused', refusedForMs: 60_000 };
    this.certificates.take({ listener: 'web', name: 'a.test', ...refusal, ...parts });
  }
}

describe('certificates on demand', () => {
  test('handshakes for one name send one request, and all get its answer', () => {
    const bench = new Bench();
    bench.obtain();
    bench.obtain();
    assert.deepEqual(bench.requests, [{ listener: 'web', name: 'a.test' }]);
    bench.take({ certificate: CERTIFICATE });
    bench.obtain();
    assert.deepEqual(bench.outcomes, ['certificate', 'certificate', 'certificate']);
    assert.equal(bench.clock.pendingCount, 0);
  });

  test('a refusal holds for its time; then the name is requested again', () => {
    const bench = new Bench();
    bench.obtain();
    bench.take({});
    bench.obtain();
    assert.deepEqual([bench.outcomes, bench.requests.length], [['refused', 'refused'], 1]);
    bench.clock.advance(60_000);
    bench.obtain();
    assert.equal(bench.requests.length, 2);
  });

  test('a wait that is over fails, and one that is cancelled calls nothing', () => {
    const bench = new Bench();
    bench.obtain();
    bench.obtain('a.test', 5_000)();
    bench.clock.advance(1_000);
    assert.deepEqual(bench.outcomes, ['no certificate in time']);
    bench.take({ certificate: CERTIFICATE });
    assert.equal(bench.outcomes.length, 1);
    assert.equal(bench.clock.pendingCount, 0);
  });

  test('a certificate that main takes back is requested again', () => {
    const bench = new Bench();
    bench.take({ certificate: CERTIFICATE });
    bench.take({ refusedForMs: 0 });
    bench.obtain();
    assert.equal(bench.requests.length, 1);
  });

  test('waiting handshakes and remembered refusals are bounded', () => {
    const bench = new Bench();
    for (let index = 0; index <= 1_000; index++) bench.obtain(`${index}.test`);
    assert.deepEqual(bench.outcomes, ['too many handshakes wait for certificates']);
    for (let index = 0; index <= 10_000; index++) bench.take({ name: `${index}.test` });
    const sent = bench.requests.length;
    bench.obtain('1.test');
    assert.equal(bench.requests.length, sent, 'it is remembered');
    bench.obtain('0.test');
    assert.equal(bench.requests.length, sent + 1, 'the oldest one is forgotten');
  });
});
