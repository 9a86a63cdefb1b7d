// Certificates that change on disk: which new pairs replace the one in use, and what is recorded otherwise. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { CertificateFiles } from '../../../../control/certificates/certificate-files.ts';
import { CertificateInventory } from '../../../../control/certificates/inventory.ts';
import type { CertificateSnapshot } from '../../../../core/snapshot/listener.ts';
import type { Snapshot } from '../../../../core/snapshot/snapshot.ts';
import { systemTimers } from '../../../../core/timers.ts';
import { testCertificate } from '../../../support/certificates.ts';
import { eventually } from '../../../support/fairlead.ts';
import { type LogLine, recordingLog } from '../../../support/loggers.ts';
import { listenerSnapshot, snapshot } from '../../../support/snapshots.ts';

const OLD = testCertificate(['old.test']);
const NEW = testCertificate(['new.test']);

/** A pair of files, watched as the control plane does. */
class Bench {
  readonly lines: LogLine[] = [];
  readonly inventory = new CertificateInventory();
  readonly files: { cert: string; key: string };
  readonly #received: Snapshot;
  readonly #watched: CertificateFiles;
  wallMs = Date.now();
  refusal = '';
  current!: Snapshot;

  constructor(t: TestContext) {
    const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-certificates-'));
    this.files = { cert: path.join(folder, 'a.pem'), key: path.join(folder, 'a.key') };
    this.write(OLD);
    this.#received = this.received(OLD);
    this.#watched = new CertificateFiles({
      timers: systemTimers,
      wallMs: () => this.wallMs,
      log: recordingLog(this.lines),
      inventory: this.inventory,
      publish: () => this.install(this.#received),
    });
    t.after(() => {
      this.#watched.stop();
      rmSync(folder, { recursive: true, force: true });
    });
  }

  /** A Snapshot for which the configuration loaded `pair`. */
  received(pair: CertificateSnapshot): Snapshot {
    const tls = { certificates: [{ ...pair, files: this.files }], minVersion: 'TLSv1.2', http2: true } as const;
    return snapshot({ listeners: [listenerSnapshot({ tls })] });
  }

  async install(next: Snapshot = this.#received): Promise<void> {
    if (this.refusal !== '') throw new Error(this.refusal);
    this.current = await this.#watched.prepare(next);
    this.inventory.apply(this.current);
    this.#watched.apply(this.current);
  }

  write({ cert, key }: Pick<CertificateSnapshot, 'cert' | 'key'>): void {
    writeFileSync(this.files.cert, cert);
    writeFileSync(this.files.key, key);
  }

  get served(): readonly string[] {
    return this.current.listeners[0]!.tls!.certificates[0]!.names;
  }

  get error(): string | null {
    return this.inventory.list()[0]!.error;
  }

  errorMatches(pattern: RegExp): Promise<void> {
    return eventually(() => pattern.test(this.error ?? ''), `the error is like ${String(pattern)}`);
  }
}

async function started(t: TestContext): Promise<Bench> {
  const bench = new Bench(t);
  await bench.install();
  return bench;
}

describe('a certificate that changes on disk', () => {
  test('replaces the one in use, in the Snapshot and in the inventory', async (t) => {
    const bench = await started(t);
    assert.deepEqual(bench.served, ['old.test']);
    bench.write(NEW);
    await eventually(() => bench.inventory.changes.installed === 1, 'the new pair is installed');
    assert.deepEqual(bench.served, ['new.test']);
    const [facts] = bench.inventory.list();
    assert.deepEqual([facts!.names, facts!.file, facts!.error], [['new.test'], bench.files.cert, null]);
    assert.equal(facts!.issuer, 'CN=new.test');
    assert.ok(facts!.notAfterMs > Date.now() && facts!.notBeforeMs <= Date.now());
  });

  test('stays replaced when the same configuration is published again, and yields to a newer load', async (t) => {
    const bench = await started(t);
    bench.write(NEW);
    await eventually(() => bench.inventory.changes.installed === 1, 'the new pair is installed');
    await bench.install();
    assert.deepEqual(bench.served, ['new.test']);
    const third = testCertificate(['third.test']);
    await bench.install(bench.received(third));
    assert.deepEqual(bench.served, ['third.test']);
  });

  for (const [name, change, reason] of [
    [
      'whose key belongs to another certificate',
      (b: Bench) => b.write({ cert: NEW.cert, key: OLD.key }),
      /does not match/,
    ],
    ['whose key is no key', (b: Bench) => b.write({ cert: NEW.cert, key: 'none' }), /contains no private key/],
    ['that is no certificate', (b: Bench) => b.write({ cert: '', key: NEW.key }), /contains no certificate/],
    ['whose file is removed', (b: Bench) => unlinkSync(b.files.cert), /does not exist/],
    [
      'that has expired',
      (b: Bench) => {
        b.wallMs = Date.UTC(2100, 0, 1);
        b.write(NEW);
      },
      /expired on/,
    ],
    [
      'that is not valid yet',
      (b: Bench) => {
        b.wallMs = 0;
        b.write(NEW);
      },
      /is not valid before/,
    ],
  ] as const) {
    test(`${name} is refused: the old one stays, and one log line gives the reason`, async (t) => {
      const bench = await started(t);
      change(bench);
      await bench.errorMatches(reason);
      assert.deepEqual(bench.served, ['old.test']);
      assert.deepEqual(bench.inventory.changes, { installed: 0, refused: 1 });
      const errors = bench.lines.filter(({ level }) => level === 'error');
      assert.equal(errors.length, 1);
      assert.match(errors[0]!.text, /^certificate .*a\.pem not replaced: .*; the old one stays in use$/);
      bench.wallMs = Date.now();
      bench.write(OLD);
      await eventually(() => bench.error === null, 'the fault is gone');
    });
  }

  test('that no worker can install stays replaced by the old one', async (t) => {
    const bench = await started(t);
    bench.refusal = 'the process drains';
    bench.write(NEW);
    await eventually(() => bench.lines.some(({ level }) => level === 'error'), 'the failure is logged');
    bench.refusal = '';
    await bench.install();
    assert.deepEqual(bench.served, ['old.test']);
  });
});
