// Names that get certificates on demand: permitted by the application, bounded in number and rate. Handshakes of all workers
// for one name share one order. Thread: main.

import { isHostName } from '../../net/host-name.ts';
import { isCertifiable } from '../../config/validate/acme-names.ts';
import type { AutomaticCertificate } from '../../core/certificate-facts.ts';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { CertificateOffer, CertificateRequest } from '../../core/messages.ts';
import type { AcmeSnapshot, OnDemandSnapshot } from '../../core/snapshot/certificates.ts';
import type { CertificateSnapshot } from '../../core/snapshot/listener.ts';
import type { Snapshot } from '../../core/snapshot/snapshot.ts';
import type { Permission } from './ask-permission.ts';
import type { CertificateKeeper, KeeperHooks } from './certificate-keeper.ts';
import { Turns } from './turns.ts';

/** Questions to the application at one time. */
const MOST_ASKED = 16;
/** Names without an answer at one time: more are refused for a moment. */
const MOST_PENDING = 256;
const HOUR_MS = 3_600_000;
/** Time for which a refusal holds: by the application, for lack of an answer, of room, and after a failed order. */
const REFUSED_MS = 60_000;
const UNKNOWN_MS = 5_000;
const CROWDED_MS = 10_000;
const LONGEST_FAILED_MS = HOUR_MS;
/** Names that no CA certifies stay so. */
const IMPOSSIBLE_MS = HOUR_MS;
const LOG_INTERVAL_MS = 60_000;

/** A keeper, as far as it is used here. */
type Keeper = Pick<CertificateKeeper, 'pair' | 'load' | 'view' | 'renewNow' | 'start' | 'stop'>;

export interface OnDemandParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly ask: (url: string, name: string) => Promise<Permission>;
  readonly newKeeper: (settings: AcmeSnapshot, name: string, hooks: KeeperHooks) => Keeper;
  /** Sends an answer to all workers. */
  readonly offer: (offer: CertificateOffer) => void;
}

interface Name {
  readonly request: CertificateRequest;
  /** Identifies the settings of its listener. */
  readonly identity: string;
  readonly keeper: Keeper;
  /** As the workers have it; null before the first one. */
  certificate: CertificateSnapshot | null;
}

interface Settings {
  readonly acme: AcmeSnapshot;
  readonly onDemand: OnDemandSnapshot;
  /** Equal for settings that differ in their configured names alone. */
  readonly identity: string;
}

export class OnDemandNames {
  readonly #parts: OnDemandParts;
  /** By the names of listeners. */
  #settings = new Map<string, Settings>();
  /** By keyOf. */
  readonly #names = new Map<string, Name>();
  /** Requests whose permission is being decided, by keyOf. */
  readonly #pending = new Set<string>();
  readonly #asking = new Turns(MOST_ASKED);
  /** Wall-clock ms of the orders of the last hour. */
  #orderedMs: number[] = [];
  #loggedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: OnDemandParts) {
    this.#parts = parts;
  }

  /** Certificates in use, by their listeners. */
  inUse(): readonly { readonly listener: string; readonly certificate: CertificateSnapshot }[] {
    return [...this.#names.values()].flatMap(({ request: { listener }, certificate }) =>
      certificate === null ? [] : [{ listener, certificate }],
    );
  }

  list(): readonly AutomaticCertificate[] {
    return [...this.#names.values()].map(({ keeper }) => keeper.view());
  }

  keepersOf(name: string): readonly Keeper[] {
    return [...this.#names.values()].filter(({ request }) => request.name === name).map(({ keeper }) => keeper);
  }

  /** Ends names whose listener issues none any more, or with other settings, or has them otherwise. */
  apply({ listeners }: Snapshot): void {
    this.#settings = new Map(
      listeners.flatMap(({ name, tls }): [string, Settings][] => {
        const settings = settingsOf(tls?.acme);
        return settings === null ? [] : [[name, settings]];
      }),
    );
    for (const one of this.#names.values()) {
      if (!this.#isWanted(one.request, one.identity)) this.#end(one, 'the settings of its listener have changed', 0);
    }
  }

  #isWanted({ listener, name }: CertificateRequest, identity: string): boolean {
    const settings = this.#settings.get(listener);
    return settings?.identity === identity && !settings.acme.names.includes(name);
  }

  /** A worker waits for a certificate. Every request is answered. */
  async handle(request: CertificateRequest): Promise<void> {
    const key = keyOf(request);
    const known = this.#names.get(key);
    if (known !== undefined && known.certificate !== null) this.#offer(request, known.certificate);
    if (known !== undefined || this.#pending.has(key)) return;
    const settings = this.#settings.get(request.listener);
    const refusal = settings === undefined ? NOT_ON_DEMAND : this.#refusalOf(request.name, settings);
    if (refusal !== null) return this.#refuse(request, refusal.reason, refusal.forMs);
    this.#pending.add(key);
    try {
      await this.#decide(request, settings!);
    } catch (error) {
      this.#refuse(request, (error as Error).message, UNKNOWN_MS);
    } finally {
      this.#pending.delete(key);
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#names.values()].map(({ keeper }) => keeper.stop()));
  }

  /** Reason for which nobody is asked about a name; null if there is none. */
  #refusalOf(name: string, settings: Settings): Refusal | null {
    const ca = settings.acme.trusted ?? undefined;
    if (!isHostName(name) || !isCertifiable(name, { ca })) {
      return { reason: 'the CA certifies no such name', forMs: IMPOSSIBLE_MS };
    }
    if (this.#pending.size >= MOST_PENDING) return { reason: 'too many names are requested', forMs: CROWDED_MS };
    return this.#hasRoom(settings) ? null : NO_ROOM;
  }

  #hasRoom({ onDemand: { names } }: Settings): boolean {
    if (this.#names.size < names) return true;
    this.#warn(`certificates on demand are limited to ${names} names: raise acme.onDemand.names`);
    return false;
  }

  async #decide(request: CertificateRequest, settings: Settings): Promise<void> {
    const { name } = request;
    const { verdict, reason } = await this.#ask(name, settings);
    if (verdict === 'unknown') this.#warn(`certificate for ${name} is refused: permission is unknown: ${reason}`);
    if (verdict !== 'permitted') return this.#refuse(request, reason, verdict === 'refused' ? REFUSED_MS : UNKNOWN_MS);
    const keeper = this.#parts.newKeeper(settings.acme, name, {
      onChange: () => this.#changed(one),
      onFailure: () => this.#failed(one),
      permit: () => this.#permit(one, settings),
    });
    const one: Name = { request, identity: settings.identity, keeper, certificate: null };
    await keeper.load();
    const refusal = this.#refusalOfOrder(one, settings);
    if (refusal !== null) return this.#refuse(request, refusal.reason, refusal.forMs);
    this.#names.set(keyOf(request), one);
    if (keeper.pair !== null) this.#changed(one);
    else this.#parts.log.info({ name }, `certificate for ${name} was requested by a client, and is permitted`);
    keeper.start();
  }

  #ask(name: string, { onDemand }: Settings): Promise<Permission> {
    return this.#asking.run(() => this.#parts.ask(onDemand.ask, name));
  }

  /** Reason against a permitted name; null if there is none: then an order is counted, if it needs one. */
  #refusalOfOrder({ keeper, request, identity }: Name, settings: Settings): Refusal | null {
    if (!this.#isWanted(request, identity)) return { reason: 'the settings have changed', forMs: 0 };
    if (!this.#hasRoom(settings)) return NO_ROOM;
    if (keeper.pair !== null) return null;
    const { retryAtMs, lastError } = keeper.view();
    const waitMs = (retryAtMs ?? 0) - this.#parts.clock.wallMs();
    if (waitMs > 0) return { reason: lastError, forMs: Math.min(LONGEST_FAILED_MS, waitMs) };
    const { ordersPerHour } = settings.onDemand;
    if (this.#takeOrder(ordersPerHour)) return null;
    const step = `more than ${ordersPerHour} orders an hour: raise acme.onDemand.ordersPerHour`;
    this.#warn(`certificate for ${request.name} is refused: ${step}`);
    return { reason: 'too many orders', forMs: CROWDED_MS };
  }

  /** Before a renewal: a name that is refused now ends. @throws where the renewal isn't permitted */
  async #permit(one: Name, settings: Settings): Promise<void> {
    const { verdict, reason } = await this.#ask(one.request.name, settings);
    if (verdict === 'permitted') return;
    if (verdict === 'refused') this.#end(one, reason, REFUSED_MS);
    throw new Error(`renewal is not permitted: ${reason}`);
  }

  #changed(one: Name): void {
    const { pair } = one.keeper;
    if (pair === null || !this.#has(one)) return;
    one.certificate = { ...pair, names: [one.request.name], files: null };
    this.#offer(one.request, one.certificate);
  }

  /** A first order has failed: its handshakes end, and the next one is not before the plan permits it. */
  #failed(one: Name): void {
    if (one.certificate !== null) return;
    const { lastError, retryAtMs } = one.keeper.view();
    const waitMs = (retryAtMs ?? 0) - this.#parts.clock.wallMs();
    this.#end(one, lastError, Math.min(LONGEST_FAILED_MS, Math.max(UNKNOWN_MS, waitMs)));
  }

  #end(one: Name, reason: string, refusedForMs: number): void {
    if (!this.#has(one)) return;
    this.#names.delete(keyOf(one.request));
    void one.keeper.stop();
    this.#refuse(one.request, reason, refusedForMs);
  }

  #has(one: Name): boolean {
    return this.#names.get(keyOf(one.request)) === one;
  }

  #offer({ listener, name }: CertificateRequest, certificate: CertificateSnapshot): void {
    this.#parts.offer({ listener, name, certificate, reason: '', refusedForMs: 0 });
  }

  #refuse({ listener, name }: CertificateRequest, reason: string, refusedForMs: number): void {
    this.#parts.offer({ listener, name, certificate: null, reason, refusedForMs });
  }

  /** @returns false where the orders of the last hour are as many as are permitted */
  #takeOrder(ordersPerHour: number): boolean {
    const nowMs = this.#parts.clock.nowMs();
    this.#orderedMs = this.#orderedMs.filter((orderedMs) => nowMs - orderedMs < HOUR_MS);
    if (this.#orderedMs.length >= ordersPerHour) return false;
    this.#orderedMs.push(nowMs);
    return true;
  }

  /** Clients cause these lines. */
  #warn(text: string): void {
    const nowMs = this.#parts.clock.nowMs();
    if (nowMs - this.#loggedMs < LOG_INTERVAL_MS) return;
    this.#loggedMs = nowMs;
    this.#parts.log.warn({}, text);
  }
}

interface Refusal {
  readonly reason: string;
  readonly forMs: number;
}

const NOT_ON_DEMAND: Refusal = { reason: 'the listener issues no certificates on demand', forMs: 0 };
const NO_ROOM: Refusal = { reason: 'the limit of names is reached', forMs: CROWDED_MS };

function settingsOf(acme: AcmeSnapshot | undefined): Settings | null {
  if (acme === undefined || acme.onDemand === null) return null;
  return { acme, onDemand: acme.onDemand, identity: JSON.stringify({ ...acme, names: [] }) };
}

function keyOf({ listener, name }: CertificateRequest): string {
  return `${listener} ${name}`;
}
