// One provider while it runs: its last good fragment and its state. Thread: main.

import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Fragment, ProviderContext, Refusal, RunningProvider } from './provider.ts';
import { providerNamed } from './providers.ts';

/**
 * `pending`: nothing is known yet. `current`: the last report was a fragment, which is in use. `stale`: the last report was
 * a failure, and the last good fragment is kept.
 */
export type ProviderState = 'pending' | 'current' | 'stale';

/** A provider has failed or works again, or one of its objects is refused. */
export interface ProviderEvent {
  /** Wall-clock ms. */
  readonly at: number;
  readonly provider: string;
  readonly change: 'failed' | 'recovered' | 'refused';
  /** Origin of the object that is refused; '' for the provider itself. */
  readonly object: string;
  readonly cause: string;
}

const NOTHING: Fragment = { version: '', parts: [], certificates: [], refused: [] };

interface RunnerParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** The fragment in use has changed. */
  readonly onChange: () => void;
  /** A report has arrived. */
  readonly onReport: () => void;
  readonly onEvent: (event: ProviderEvent) => void;
}

export class ProviderRunner {
  readonly name: string;
  readonly #subject: string;
  readonly #parts: RunnerParts;
  readonly #running: RunningProvider;
  #state: ProviderState = 'pending';
  #isStopped = false;
  #hasReported = false;
  #fragment: Fragment;
  /** The fragment as text, to find changes. */
  #text = '';
  #confirmedAt: number | null = null;
  #cause = '';

  /** @param before the fragment of the provider that this one replaces: in use until the first one of its own */
  constructor(name: string, settings: object, context: ProviderContext, parts: RunnerParts, before = NOTHING) {
    this.name = name;
    this.#fragment = before;
    this.#parts = parts;
    const provider = providerNamed(name);
    this.#subject = provider.describe(settings);
    this.#running = provider.start(settings, context, {
      publish: (fragment) => this.#publish(fragment),
      fail: (cause) => this.#fail(cause),
    });
  }

  /** The last good one. */
  get fragment(): Fragment {
    return this.#fragment;
  }

  get hasReported(): boolean {
    return this.#hasReported;
  }

  get view() {
    const { version, parts, certificates } = this.#fragment;
    return {
      provider: this.name,
      subject: this.#subject,
      state: this.#state,
      version,
      confirmedAt: this.#confirmedAt,
      cause: this.#cause,
      routes: parts.reduce((sum, { config: { routes = [] } }) => sum + routes.length, 0),
      upstreams: parts.reduce((sum, { config: { upstreams = {} } }) => sum + Object.keys(upstreams).length, 0),
      certificates: certificates.length,
    };
  }

  applied(refused: readonly Refusal[]): void {
    if (!this.#isStopped) this.#running.applied?.(refused);
  }

  stop(): void {
    this.#isStopped = true;
    this.#running.stop();
  }

  #publish(fragment: Fragment): void {
    if (this.#isStopped) return;
    const { version: _version, ...content } = fragment;
    const text = JSON.stringify(content);
    const hasChanged = text !== this.#text;
    if (this.#cause !== '') {
      this.#parts.log.info({ provider: this.name }, `provider ${this.name} works again`);
      this.#emit('recovered', '');
    }
    this.#fragment = fragment;
    this.#text = text;
    this.#confirmedAt = this.#parts.clock.wallMs();
    this.#cause = '';
    this.#state = 'current';
    this.#report();
    if (hasChanged) this.#parts.onChange();
  }

  #fail(cause: string): void {
    if (this.#isStopped) return;
    const isNews = cause !== this.#cause;
    this.#cause = cause;
    if (this.#state === 'current') this.#state = 'stale';
    if (isNews) {
      const kept =
        this.#state === 'stale' ? 'its last routes and upstreams are kept' : 'it has contributed nothing yet';
      this.#parts.log.warn({ provider: this.name, cause }, `provider ${this.name} failed: ${cause}; ${kept}`);
      this.#emit('failed', cause);
    }
    this.#report();
  }

  #emit(change: 'failed' | 'recovered', cause: string): void {
    this.#parts.onEvent({ at: this.#parts.clock.wallMs(), provider: this.name, change, object: '', cause });
  }

  #report(): void {
    this.#hasReported = true;
    this.#parts.onReport();
  }
}

type ProviderView = ProviderRunner['view'];

/** A provider for operators. */
export interface ProviderStatus extends ProviderView {
  /** Objects that contribute something. */
  readonly accepted: number;
  readonly refused: readonly Refusal[];
}
