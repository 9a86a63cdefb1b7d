// Registers this Fairlead where clients look for services, as the Snapshot says, and removes the registration before
// listeners close. Thread: main.

import { hostname } from 'node:os';
import { listFiles } from '../config/files/endpoint-list.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import type { ListenerSnapshot } from '../core/snapshot/listener.ts';
import type { RegistrationSnapshot, Snapshot } from '../core/snapshot/snapshot.ts';
import type { Timers } from '../core/timers.ts';
import { ConsulRegistration, type Instance, type RegistrationView } from '../discovery/consul/consul-registration.ts';
import type { RegistrationSettings } from '../discovery/consul/registration-settings.ts';
import type { SnapshotConsumer } from './snapshot-owner.ts';

/** Addresses that stand for all of the machine's. */
const ALL_ADDRESSES = ['', '0.0.0.0', '::'];

export interface RegistrarParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  /** Whether a worker accepts connections. */
  readonly isListening: () => boolean;
}

/** A consumer that comes after the workers: what is registered can be used. */
export class Registrar implements SnapshotConsumer {
  readonly #parts: RegistrarParts;
  /** By settings and instance, as text. */
  #running = new Map<string, ConsulRegistration>();

  constructor(parts: RegistrarParts) {
    this.#parts = parts;
  }

  apply({ register, listeners }: Snapshot): void {
    const before = this.#running;
    this.#running = new Map();
    for (const one of register) {
      const instance = instanceOf(one, listeners);
      const key = JSON.stringify({ ...one, instance });
      this.#running.set(key, before.get(key) ?? this.#start(one.settings as RegistrationSettings, instance));
    }
    const present = [...this.#running.values()];
    for (const old of before.values()) {
      if (present.includes(old)) continue;
      // One with the same id is replaced where it is, without a gap.
      if (present.some(({ place }) => place === old.place)) old.stop();
      else void old.withdraw();
    }
  }

  #start(settings: RegistrationSettings, instance: Instance): ConsulRegistration {
    const { isListening } = this.#parts;
    const unreadiness = (): string => (isListening() ? '' : 'no worker accepts connections');
    return new ConsulRegistration(settings, instance, { ...this.#parts, files: listFiles(this.#parts), unreadiness });
  }

  /** In the order of the configuration. */
  views(): readonly RegistrationView[] {
    return [...this.#running.values()].map((one) => one.view());
  }

  /** Removes the registrations: this process is about to stop accepting. Resolves after seconds at most. */
  async withdraw(): Promise<void> {
    const running = [...this.#running.values()];
    this.#running.clear();
    await Promise.all(running.map((one) => one.withdraw()));
  }

  /** Leaves the registrations to the process that has taken over: they have the same ids. */
  handOver(): void {
    for (const one of this.#running.values()) one.stop();
    this.#running.clear();
  }

  stop(): Promise<void> {
    return this.withdraw();
  }
}

function instanceOf({ settings, listener }: RegistrationSnapshot, listeners: readonly ListenerSnapshot[]): Instance {
  const { id, service, advertise } = settings as RegistrationSettings;
  const found = listeners.find(({ name, bind }) => bind.kind === 'tcp' && (listener === '' || name === listener));
  const bind = found?.bind;
  const [host, port] = bind?.kind === 'tcp' ? [bind.host, bind.port] : ['', 0];
  return {
    id: id === '' ? `${service}-${hostname()}-${port}` : id,
    address: advertise === '' && !ALL_ADDRESSES.includes(host) ? host : advertise,
    port,
  };
}
