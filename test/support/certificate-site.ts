// The certificates of one process, without listeners: a service on a storage, with a clock that can be moved. Run as a
// program with options in JSON, it is a process that can be killed. Thread: main.

import { readFileSync } from 'node:fs';
import { newTables } from '../../config/compile/compile.ts';
import { CertificateService } from '../../control/certificates/certificate-service.ts';
import type { AutomaticCertificate } from '../../core/certificate-facts.ts';
import { seededRandom } from '../../core/random.ts';
import type { AcmeSnapshot } from '../../core/snapshot/certificates.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import { systemTimers, type Timers } from '../../core/timers.ts';
import { type LogLine, recordingLog } from './loggers.ts';
import { listenerSnapshot, snapshot } from './snapshots.ts';

export interface SiteOptions {
  readonly names: readonly string[];
  readonly storage: string;
  readonly directory: string;
  /** File with the CA's own certificate. */
  readonly trusted: string;
  /** Command of dns-01; http-01 without. */
  readonly dns?: readonly string[];
  readonly external?: AcmeSnapshot['external'];
  /** Left out, orders are made without one. */
  readonly preflight?: AcmeSnapshot['preflight'];
}

/** No timer is longer: the clock that decides is the wall clock. */
const LONGEST_MS = 20;
const HASTY_TIMERS: Timers = { after: (delayMs, fire) => systemTimers.after(Math.min(delayMs, LONGEST_MS), fire) };

export class CertificateSite {
  readonly log: LogLine[] = [];
  /** Added to the wall clock. */
  skewMs = 0;
  readonly #configured: Snapshot;
  readonly #service: CertificateService;
  #snapshot: Snapshot;

  constructor({ names, storage, directory, trusted, dns, external, preflight }: SiteOptions) {
    const acme = {
      email: 'ops@example.com',
      directory,
      trusted: readFileSync(trusted, 'utf8'),
      names,
      challenge: dns === undefined ? ('http-01' as const) : ('dns-01' as const),
      dns: dns === undefined ? null : { command: dns, waitMs: 1 },
      external: external ?? null,
      storage,
      keyType: 'ecdsa' as const,
      preflight: preflight ?? null,
      onDemand: null,
    };
    const tls = { certificates: [], minVersion: 'TLSv1.2' as const, http2: true, acme };
    this.#configured = snapshot({ listeners: [listenerSnapshot({ name: 'web', tls })] });
    this.#snapshot = this.#configured;
    this.#service = new CertificateService({
      tables: newTables({ endpoints: 4, upstreams: 4, listeners: 4 }),
      clock: { nowMs: () => performance.now(), wallMs: () => Date.now() + this.skewMs },
      timers: HASTY_TIMERS,
      random: seededRandom(1),
      log: recordingLog(this.log),
      version: 'test',
      publish: () => this.start(),
      offer: () => undefined,
    });
  }

  async start(): Promise<void> {
    this.#snapshot = await this.#service.prepare(this.#configured);
    this.#service.apply(this.#snapshot);
  }

  stop(): Promise<void> {
    return this.#service.stop();
  }

  /** Whether all names have certificates in the Snapshot. */
  has(names: readonly string[]): boolean {
    const certificates = this.#snapshot.listeners[0]!.tls!.certificates.flatMap((one) => one.names);
    return names.every((name) => certificates.includes(name));
  }

  /** Serial numbers in the order of the names. */
  serials(): string[] {
    return this.#service.list().map(({ serial }) => serial);
  }

  view(name: string): AutomaticCertificate {
    return this.#service.list().find((one) => one.name === name)!;
  }

  /** Orders a certificate at once. */
  renewNow(name: string): Promise<boolean> {
    return this.#service.renew(name);
  }

  validityMs(name: string): number {
    const { notBeforeMs, notAfterMs } = this.view(name);
    return notAfterMs! - notBeforeMs!;
  }
}

if (import.meta.main) {
  const site = new CertificateSite(JSON.parse(process.argv[2]!) as SiteOptions);
  await site.start();
  setInterval(() => undefined, 1_000);
}
