// Automatic certificates of all listeners: adds them to each Snapshot, and publishes it again when one changes.
// Thread: main.

import type { CompileTables } from '../../config/compile/compile.ts';
import { type AutomaticCertificate, type CertificateOrders, PLACEHOLDER_NAME } from '../../core/certificate-facts.ts';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { CertificateOffer, CertificateRequest } from '../../core/messages.ts';
import type { Random } from '../../core/random.ts';
import type { AcmeSnapshot, InternalSnapshot } from '../../core/snapshot/certificates.ts';
import type { CertificateSnapshot, ListenerSnapshot, TlsSnapshot } from '../../core/snapshot/listener.ts';
import type { PolicySnapshot } from '../../core/snapshot/policy.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';
import { acmeChallenge, type AcmeChallengeData } from '../../proxy/policies/acme-challenge.ts';
import type { SnapshotConsumer, SnapshotGate } from '../snapshot-owner.ts';
import { AcmeAuthority } from './acme-authority.ts';
import { AcmeTransport } from './acme-transport.ts';
import { askPermission } from './ask-permission.ts';
import { CertificateKeeper, type KeeperHooks } from './certificate-keeper.ts';
import { CertificateStorage } from './certificate-storage.ts';
import { InternalAuthority } from './internal-authority.ts';
import { OnDemandNames } from './on-demand-names.ts';
import { Turns } from './turns.ts';
import { issueCertificate, newPrivateKey, pemOfKey } from './x509.ts';

/** Certificates that change within this time reach the workers together. */
const PUBLISH_AFTER_MS = 100;
const PUBLISH_AGAIN_MS = 5_000;
/** Orders at one time, over all names. */
const MOST_ORDERS = 3;
/** A day: the wall clock may step. */
const LONGEST_TIMER_MS = 24 * 60 * 60 * 1000;
/** Longest time for which the end of the process waits for orders in progress. */
const STOP_MS = 2_000;
const PLACEHOLDER_MS = 10 * 365 * 24 * 60 * 60 * 1000;

export interface CertificateServiceParts {
  readonly tables: Pick<CompileTables, 'policies'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  readonly version: string;
  /** Publishes the Snapshot again. @throws why it can't be published */
  readonly publish: () => Promise<void>;
  /** Sends a certificate that was issued on demand, or the refusal of its name, to all workers. */
  readonly offer: (offer: CertificateOffer) => void;
}

export class CertificateService implements SnapshotGate, SnapshotConsumer {
  readonly #parts: CertificateServiceParts;
  /** Block of the challenge policy in the workers' lanes. */
  readonly #policyIndex: number;
  readonly #keepers = new Map<string, CertificateKeeper>();
  readonly #authorities = new Map<string, AcmeAuthority>();
  readonly #internals = new Map<string, InternalAuthority>();
  #internalRenewal: TimerHandle | null = null;
  readonly #ending = new AbortController();
  readonly #turns = new Turns(MOST_ORDERS);
  readonly #onDemand: OnDemandNames;
  #placeholder: Promise<CertificateSnapshot> | null = null;
  #publishing: TimerHandle | null = null;
  #orders: CertificateOrders = { issued: 0, failed: 0, prevented: 0 };

  constructor(parts: CertificateServiceParts) {
    this.#parts = parts;
    this.#onDemand = new OnDemandNames({
      clock: parts.clock,
      log: parts.log,
      offer: parts.offer,
      ask: (url, name) => askPermission(url, name, this.#ending.signal),
      newKeeper: (settings, name, hooks) => this.#newKeeper(settings, name, hooks),
    });
    this.#policyIndex = parts.tables.policies.assign([acmeChallenge.name], 1)[0]!.slot;
  }

  /** Adds what the storage has; a listener without any certificate gets a self-signed one, and can start. */
  async prepare(next: Snapshot): Promise<Snapshot> {
    const acme = acmeOf(next);
    if (acme.length === 0 && !next.listeners.some(({ tls }) => isAutomatic(tls))) return next;
    await Promise.all(acme.flatMap((one) => one.names.map((name) => this.#keeperOf(one, name).load())));
    const storages = [
      ...new Set(acme.filter(({ challenge }) => challenge === 'http-01').map(({ storage }) => storage)),
    ];
    const listeners = await Promise.all(next.listeners.map((one) => this.#completed(one, storages)));
    return Object.freeze({ ...next, listeners });
  }

  /** Begins to keep what the Snapshot needs, and ends what it no longer has. */
  apply(snapshot: Snapshot): void {
    for (const root of new Set(acmeOf(snapshot).map(({ storage }) => storage)))
      void new CertificateStorage(root, this.#parts.timers).removeLeftovers();
    const wanted = new Set(acmeOf(snapshot).flatMap((acme) => acme.names.map((name) => keyOf(acme, name))));
    for (const [key, keeper] of this.#keepers) {
      if (wanted.has(key)) keeper.start();
      else {
        this.#keepers.delete(key);
        void keeper.stop();
      }
    }
    this.#onDemand.apply(snapshot);
    this.#renewInternals();
  }

  /** A handshake waits for the certificate of a name. */
  request(request: CertificateRequest): void {
    void this.#onDemand.handle(request);
  }

  /** Certificates that were issued on demand, which no Snapshot has. */
  get onDemand(): ReturnType<OnDemandNames['inUse']> {
    return this.#onDemand.inUse();
  }

  /** Publishes again when a certificate of an internal CA is to be replaced. */
  #renewInternals(): void {
    this.#internalRenewal?.cancel();
    const dueInMs = [...this.#internals.values()].flatMap(({ renewInMs }) => renewInMs ?? []);
    if (dueInMs.length === 0) return;
    const delayMs = Math.min(LONGEST_TIMER_MS, Math.min(...dueInMs));
    this.#internalRenewal = this.#parts.timers.after(delayMs, () => this.#publishAfter(PUBLISH_AFTER_MS));
  }

  #internalOf({ storage }: InternalSnapshot): InternalAuthority {
    let authority = this.#internals.get(storage);
    if (authority === undefined)
      this.#internals.set(storage, (authority = new InternalAuthority(storage, this.#parts)));
    return authority;
  }

  /** Certificates that the Snapshot wants, and those on demand, in the order of their names. */
  list(): readonly AutomaticCertificate[] {
    const configured = [...this.#keepers.values()].map((keeper) => keeper.view());
    return [...configured, ...this.#onDemand.list()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Orders a certificate now, whatever its plan says. @returns whether there is one for the name */
  async renew(name: string): Promise<boolean> {
    const configured = [...this.#keepers.values()].filter((keeper) => keeper.view().name === name);
    const named = [...configured, ...this.#onDemand.keepersOf(name)];
    await Promise.all(named.map((keeper) => keeper.renewNow()));
    return named.length > 0;
  }

  get orders(): CertificateOrders {
    return this.#orders;
  }

  async stop(): Promise<void> {
    this.#publishing?.cancel();
    this.#internalRenewal?.cancel();
    const stopped = [...[...this.#keepers.values()].map((keeper) => keeper.stop()), this.#onDemand.stop()];
    this.#ending.abort(new Error('Fairlead is stopping'));
    // A DNS command may take longer.
    await Promise.race([
      Promise.all(stopped),
      new Promise<void>((resolve) => void this.#parts.timers.after(STOP_MS, resolve)),
    ]);
    await Promise.all([...this.#authorities.values()].map((authority) => authority.close()));
  }

  async #completed(listener: ListenerSnapshot, storages: readonly string[]): Promise<ListenerSnapshot> {
    const { tls: before } = listener;
    const tls = isAutomatic(before) ? await this.#withCertificates(before) : before;
    return Object.freeze({ ...withChallenges(listener, storages, this.#policyIndex), tls });
  }

  async #withCertificates(tls: TlsSnapshot): Promise<TlsSnapshot> {
    const { acme, internal } = tls;
    const issued = (acme?.names ?? []).flatMap((name): CertificateSnapshot[] => {
      const pair = this.#keeperOf(acme!, name).pair;
      return pair === null ? [] : [{ ...pair, names: [name], files: null }];
    });
    const made = internal === undefined ? [] : [await this.#internalOf(internal).certificateFor(internal.names)];
    const certificates = [...tls.certificates, ...issued, ...made];
    if (certificates.length === 0) certificates.push(await (this.#placeholder ??= this.#newPlaceholder()));
    return { ...tls, certificates };
  }

  /** For no name: clients refuse it, and only after the handshake, which shows them what is wrong. */
  async #newPlaceholder(): Promise<CertificateSnapshot> {
    const key = await newPrivateKey('ecdsa');
    const notBeforeMs = this.#parts.clock.wallMs();
    const validity = { notBeforeMs, notAfterMs: notBeforeMs + PLACEHOLDER_MS };
    const cert = issueCertificate({
      names: [PLACEHOLDER_NAME],
      key,
      commonName: 'Fairlead placeholder',
      ...validity,
    });
    return { cert, key: pemOfKey(key), names: [], files: null };
  }

  #keeperOf(settings: AcmeSnapshot, name: string): CertificateKeeper {
    const key = keyOf(settings, name);
    let keeper = this.#keepers.get(key);
    if (keeper !== undefined) return keeper;
    keeper = this.#newKeeper(settings, name, { onChange: () => this.#publishAfter(PUBLISH_AFTER_MS) });
    this.#keepers.set(key, keeper);
    return keeper;
  }

  #newKeeper(settings: AcmeSnapshot, name: string, hooks: KeeperHooks): CertificateKeeper {
    const { clock, timers, random, log } = this.#parts;
    return new CertificateKeeper({
      ...hooks,
      settings,
      name,
      storage: new CertificateStorage(settings.storage, timers),
      authority: this.#authorityOf(settings),
      clock,
      timers,
      random,
      log,
      sleep: (ms) => this.#sleep(ms),
      inTurn: (run) => this.#turns.run(run),
      onOrdered: (outcome) => (this.#orders = { ...this.#orders, [outcome]: this.#orders[outcome] + 1 }),
    });
  }

  #authorityOf(settings: AcmeSnapshot): AcmeAuthority {
    const { directory, email, trusted, external } = settings;
    const key = JSON.stringify([settings.storage, directory, email, trusted, external]);
    let authority = this.#authorities.get(key);
    if (authority !== undefined) return authority;
    const { clock, timers, version } = this.#parts;
    authority = new AcmeAuthority({
      settings,
      storage: new CertificateStorage(settings.storage, timers),
      transport: new AcmeTransport({
        trusted: trusted ?? undefined,
        version,
        signal: this.#ending.signal,
        wallMs: () => clock.wallMs(),
      }),
      clock,
      sleep: (ms) => this.#sleep(ms),
    });
    this.#authorities.set(key, authority);
    return authority;
  }

  #publishAfter(delayMs: number): void {
    this.#publishing ??= this.#parts.timers.after(delayMs, () => {
      this.#publishing = null;
      this.#parts.publish().catch((error: unknown) => {
        this.#parts.log.error({ err: error }, `new certificates can't be put into use: ${(error as Error).message}`);
        if (!this.#ending.signal.aborted) this.#publishAfter(PUBLISH_AGAIN_MS);
      });
    });
  }

  /** @throws when the service stops */
  #sleep(ms: number): Promise<void> {
    const { signal } = this.#ending;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const stop = (): void => {
        timer.cancel();
        reject(signal.reason as Error);
      };
      const timer = this.#parts.timers.after(ms, () => {
        signal.removeEventListener('abort', stop);
        resolve();
      });
      signal.addEventListener('abort', stop, { once: true });
    });
  }
}

/** Whether certificates may be missing at the start: the listener then has one for no name. */
function isAutomatic(tls: TlsSnapshot | null): tls is TlsSnapshot {
  return tls !== null && (tls.acme !== undefined || tls.internal !== undefined || tls.fromProviders === true);
}

function acmeOf({ listeners }: Snapshot): AcmeSnapshot[] {
  return listeners.flatMap(({ tls }) => tls?.acme ?? []);
}

/** Listeners that want the same certificate share it. */
function keyOf(settings: AcmeSnapshot, name: string): string {
  const { names: _, ...others } = settings;
  return JSON.stringify([name, others]);
}

/** The listener with the policy that answers HTTP-01 challenges before all others. */
function withChallenges(listener: ListenerSnapshot, storages: readonly string[], index: number): ListenerSnapshot {
  if (storages.length === 0) return listener;
  const { name, stage, needs } = acmeChallenge;
  const data: AcmeChallengeData = { acmeChallenge: { storages } };
  const policy: PolicySnapshot = { name, index, stage, needs, data };
  return { ...listener, policies: [policy, ...listener.policies] };
}
