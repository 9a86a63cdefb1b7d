// One automatic certificate: takes it from the storage, orders it where it is missing or due, and plans its renewal. The
// last good certificate stays in use whatever fails. Thread: main.

import type { AutomaticCertificate, CertificateOrders } from '../../core/certificate-facts.ts';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { Random } from '../../core/random.ts';
import type { AcmeSnapshot } from '../../core/snapshot/certificates.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';
import type { AcmeAuthority } from './acme-authority.ts';
import { AcmeError } from './acme-error.ts';
import { hostOf } from './acme-transport.ts';
import { obtainCertificate } from './certificate-issue.ts';
import { type IssuedFacts, factsOf, reasonAgainst } from './issued-certificate.ts';
import {
  type CertificatePlan,
  NO_PLAN,
  planAfterFailure,
  planFor,
  planInWindow,
  planWithoutWindow,
  type RenewalWindow,
} from './certificate-plan.ts';
import type { CertificateIdentity, CertificatePair, CertificateStorage } from './certificate-storage.ts';
import { PreflightError } from './preflight.ts';
import { renewalIdentifier } from './x509.ts';

/** Longest time between two looks at the storage, which other processes write, too. */
const LOOK_MS = 30_000;
/** Time until the next look while another process orders the certificate. */
const LOCKED_MS = 3_000;

export interface KeeperHooks {
  /** Another certificate is in use now. */
  readonly onChange: () => void;
  /** An order has failed. */
  readonly onFailure?: () => void;
  /** Called before a renewal. @throws where it isn't permitted */
  readonly permit?: () => Promise<void>;
}

export interface KeeperParts extends KeeperHooks {
  readonly settings: AcmeSnapshot;
  readonly name: string;
  readonly storage: CertificateStorage;
  readonly authority: AcmeAuthority;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  readonly sleep: (ms: number) => Promise<void>;
  /** Runs an order when few others run. */
  readonly inTurn: <Value>(run: () => Promise<Value>) => Promise<Value>;
  readonly onOrdered: (outcome: keyof CertificateOrders) => void;
}

export class CertificateKeeper {
  readonly #parts: KeeperParts;
  readonly #identity: CertificateIdentity;
  #pair: CertificatePair | null = null;
  #facts: IssuedFacts | null = null;
  #plan: CertificatePlan = NO_PLAN;
  /** Version in the storage of what is in use. */
  #version = '';
  /** Whether the certificate in use couldn't be written to the storage. */
  #isUnsaved = false;
  #isOrdering = false;
  #timer: TimerHandle | null = null;
  #running: Promise<void> | null = null;
  #isStopped = true;
  readonly #plans: StoredPlans;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    const { settings, name } = parts;
    this.#identity = { directory: settings.directory, name, keyType: settings.keyType };
    this.#plans = new StoredPlans(parts.storage, this.#identity);
  }

  /** The certificate in use; null before the first one. */
  get pair(): CertificatePair | null {
    return this.#pair;
  }

  /** State for operators. */
  view(): AutomaticCertificate {
    const { name, settings } = this.#parts;
    const { failures, lastError, retryAtMs, renewAtMs } = this.#plan;
    const { serial = '', notBeforeMs = null, notAfterMs = null } = this.#facts ?? {};
    return {
      name,
      authority: hostOf(settings.directory),
      challenge: settings.challenge,
      state: this.#isOrdering ? 'ordering' : this.#pair === null ? 'waiting' : 'issued',
      serial,
      notBeforeMs,
      notAfterMs,
      renewAtMs: this.#facts === null ? null : renewAtMs,
      failures,
      lastError,
      retryAtMs: failures === 0 ? null : retryAtMs,
    };
  }

  /** Takes the certificate from the storage, if it has another one. Never throws. @returns whether it was another one */
  async load(): Promise<boolean> {
    const { storage, name, clock, log } = this.#parts;
    if (this.#isUnsaved) return false;
    try {
      const version = await storage.versionOf(this.#identity);
      if (version === this.#version) {
        if (this.#pair === null) this.#plan = await this.#storedPlan();
        return false;
      }
      const pair = await storage.readCertificate(this.#identity);
      const reason = pair === null ? 'it is malformed' : reasonAgainst(pair, name, clock.wallMs());
      this.#version = version;
      if (pair === null || reason !== null) {
        if (version !== '') log.warn({ name, reason }, `certificate for ${name} in the storage is not used: ${reason}`);
        return false;
      }
      this.#use(pair);
      this.#plan = await this.#storedPlan();
      return true;
    } catch (error) {
      log.error({ name, err: error }, `certificate for ${name} can't be read: ${(error as Error).message}`);
      return false;
    }
  }

  /** Makes an order due now, after any number of failures. */
  async renewNow(): Promise<void> {
    if (this.#isOrdering) return;
    this.#plan = { ...this.#plan, renewAtMs: 0, retryAtMs: 0 };
    await this.#plans.write(this.#plan).catch(ignore);
    this.#stepAfter(0);
  }

  /** Begins to keep the certificate. */
  start(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    this.#stepAfter(0);
  }

  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #stepAfter(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer?.cancel();
    // An order at once may have been requested in the middle of a step: the next one follows it.
    const run = (): void => void (this.#running = (this.#running ?? Promise.resolve()).then(() => this.#takeStep()));
    this.#timer = this.#parts.timers.after(delayMs, run);
  }

  async #takeStep(): Promise<void> {
    if (this.#isStopped) return;
    const { name, log } = this.#parts;
    try {
      this.#stepAfter(await this.#step());
    } catch (error) {
      log.error({ name, err: error }, `certificate for ${name} can't be kept: ${(error as Error).message}`);
      this.#stepAfter(LOOK_MS);
    }
  }

  /** @returns ms until the next step */
  async #step(): Promise<number> {
    const { clock, authority, onChange, inTurn } = this.#parts;
    if (this.#isUnsaved) await this.#save(this.#pair!);
    if (await this.load()) onChange();
    await this.#lookAtRenewal();
    const dueInMs = this.#dueAtMs() - clock.wallMs();
    const pauseMs = Math.max(this.#plan.retryAtMs, authority.pausedUntilMs) - clock.wallMs();
    if (dueInMs > 0) return Math.min(LOOK_MS, dueInMs);
    if (pauseMs > 0) {
      // Another process may have tried since.
      this.#plan = await this.#storedPlan();
      return Math.min(LOOK_MS, pauseMs);
    }
    return await inTurn(() => this.#orderLocked());
  }

  /** Wall-clock ms at which an order is due. */
  #dueAtMs(): number {
    return this.#pair === null ? 0 : this.#plan.renewAtMs;
  }

  /** Orders the certificate unless another process does, or has done so. @returns ms until the next step */
  async #orderLocked(): Promise<number> {
    const { storage, clock, authority, onChange } = this.#parts;
    if (this.#isStopped) return LOOK_MS;
    const lock = await storage.lockCertificate(this.#identity).catch((error: unknown) => this.#failed(error as Error));
    if (lock === undefined) return 1_000;
    if (lock === null) return LOCKED_MS;
    try {
      if (await this.load()) onChange();
      else this.#plan = await this.#storedPlan();
      const isDue = this.#dueAtMs() <= clock.wallMs();
      const isAllowed = Math.max(this.#plan.retryAtMs, authority.pausedUntilMs) <= clock.wallMs();
      if (!isDue || !isAllowed) return 0;
      this.#isOrdering = true;
      await this.#order();
      return 0;
    } finally {
      this.#isOrdering = false;
      await lock.release();
    }
  }

  async #order(): Promise<void> {
    const { name, log, onChange, onOrdered, permit } = this.#parts;
    const isRenewal = this.#pair !== null;
    log.info({ name }, `certificate for ${name} is being ${isRenewal ? 'renewed' : 'ordered'}`);
    try {
      if (isRenewal) await permit?.();
      const pair = await obtainCertificate(this.#parts, this.#identity, this.#pair);
      this.#use(pair);
      this.#plan = planFor(this.#facts!, this.#parts.random);
      await this.#save(pair);
      const until = new Date(this.#facts!.notAfterMs).toISOString();
      log.info({ name, issuer: this.#facts!.issuer, until }, `certificate for ${name} issued, valid until ${until}`);
      onOrdered('issued');
      onChange();
    } catch (error) {
      if (this.#isStopped) return;
      await this.#failed(error as Error);
    }
  }

  #use(pair: CertificatePair): void {
    this.#pair = pair;
    this.#facts = factsOf(pair);
  }

  /** A certificate that can't be written is in use all the same, and written later. */
  async #save(pair: CertificatePair): Promise<void> {
    const { storage, name, log } = this.#parts;
    try {
      await storage.writeCertificate(this.#identity, pair);
      await this.#plans.write(this.#plan);
      await storage.removeOrder(this.#identity);
      this.#version = await storage.versionOf(this.#identity);
      this.#isUnsaved = false;
    } catch (error) {
      const { message } = error as Error;
      if (!this.#isUnsaved)
        log.error({ name, err: error }, `certificate for ${name} is used, but can't be stored: ${message}`);
      this.#isUnsaved = true;
    }
  }

  async #failed(cause: Error): Promise<undefined> {
    const { name, storage, authority, clock, random, log, onOrdered } = this.#parts;
    const isPrevented = cause instanceof PreflightError;
    onOrdered(isPrevented ? 'prevented' : 'failed');
    const acme = cause instanceof AcmeError ? cause : new AcmeError(cause.message);
    await authority.note(acme).catch(() => undefined);
    const { message, retryAfterMs } = acme;
    this.#plan = planAfterFailure(this.#plan, { message, retryAfterMs, isPrevented }, clock.wallMs(), random);
    await this.#plans.write(this.#plan).catch(ignore);
    if (acme.isFinal) await storage.removeOrder(this.#identity).catch(() => undefined);
    const { failures, retryAtMs } = this.#plan;
    const retryAt = new Date(retryAtMs).toISOString();
    const until = this.#facts === null ? '' : new Date(this.#facts.notAfterMs).toISOString();
    const kept = until === '' ? '' : `; the old one is valid until ${until}`;
    const text = `certificate for ${name} was not issued: ${cause.message}; the next attempt is at ${retryAt}${kept}`;
    log.error({ name, failures, retryAt, err: cause }, text);
    this.#parts.onFailure?.();
  }

  /** Plan of the certificate in use. */
  async #storedPlan(): Promise<CertificatePlan> {
    const known = await this.#plans.read(this.#plan, this.#facts?.serial ?? '');
    return known ?? (this.#facts === null ? NO_PLAN : planFor(this.#facts, this.#parts.random));
  }

  /** Reads the CA's renewal information when it is time to. Without it, renewal stays where the validity puts it. */
  async #lookAtRenewal(): Promise<void> {
    const { clock, authority, random, name, log } = this.#parts;
    if (this.#pair === null || this.#plan.lookAtMs > clock.wallMs()) return;
    const before = this.#plan;
    this.#plan = planWithoutWindow(before, clock.wallMs());
    try {
      const info = await readRenewalInfo(authority, this.#pair.cert);
      if (info !== null) this.#plan = planInWindow(before, info.window, info.retryAfterMs, clock.wallMs(), random);
      await this.#plans.write(this.#plan).catch(ignore);
    } catch (error) {
      log.debug({ name, err: error }, `renewal information of ${name} is not available: ${(error as Error).message}`);
    }
    if (this.#plan.renewAtMs === before.renewAtMs) return;
    const renewAt = new Date(this.#plan.renewAtMs).toISOString();
    log.info({ name, renewAt }, `certificate for ${name} will be renewed at ${renewAt}, as the CA suggests`);
  }
}

/** The plan in the storage, which other processes write, too. */
class StoredPlans {
  readonly #storage: CertificateStorage;
  readonly #identity: CertificateIdentity;
  /** Whether our plan couldn't be written: that of the storage is older. */
  #isUnsaved = false;

  constructor(storage: CertificateStorage, identity: CertificateIdentity) {
    this.#storage = storage;
    this.#identity = identity;
  }

  /** @throws Error where it can't be written; it is followed all the same, since its back-off keeps to the CA's limits */
  async write(plan: CertificatePlan): Promise<void> {
    this.#isUnsaved = true;
    await this.#storage.writePlan(this.#identity, plan);
    this.#isUnsaved = false;
  }

  /** @param ours our own plan @returns the plan for the certificate with a serial number; null where there is none */
  async read(ours: CertificatePlan, serial: string): Promise<CertificatePlan | null> {
    if (this.#isUnsaved && ours.serial === serial) return ours;
    const stored = await this.#storage.readPlan(this.#identity).catch(() => null);
    if (stored !== null && stored.serial === serial) return { ...NO_PLAN, ...stored };
    return ours.serial === serial ? ours : null;
  }
}

function ignore(): void {}

export interface RenewalInfo {
  readonly window: RenewalWindow;
  /** Time that the CA demands before the next request; 0 if none. */
  readonly retryAfterMs: number;
}

/** @param cert in PEM @returns null where the CA gives none for the certificate @throws AcmeError */
async function readRenewalInfo(authority: Pick<AcmeAuthority, 'client'>, cert: string): Promise<RenewalInfo | null> {
  const client = await authority.client();
  const { renewalInfo } = await client.directory();
  const identifier = renewalIdentifier(cert);
  if (renewalInfo === '' || identifier === null) return null;
  const { value, retryAfterMs } = await client.get(`${renewalInfo}/${identifier}`, 'renewal information');
  const window = windowOf(value['suggestedWindow']);
  return window === null ? null : { window, retryAfterMs };
}

function windowOf(value: unknown): RenewalWindow | null {
  const { start, end } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const [startMs, endMs] = [Date.parse(String(start)), Date.parse(String(end))];
  return Number.isFinite(startMs) && Number.isFinite(endMs) && startMs <= endMs ? { startMs, endMs } : null;
}
