// The access log of one worker: formats ended exchanges and hands them to the worker's own destination. Costs one
// comparison where it is off. Thread: worker.

import type { ExchangeObserver, ExchangeRecord } from '../../core/exchange-record.ts';
import type { AccessLogSnapshot } from '../../core/snapshot/snapshot.ts';
import type { Timers } from '../../core/timers.ts';
import { LogDestination } from '../destination/log-destination.ts';
import { LOG_FORMATS, type LogFormat } from './log-formats.ts';
import type { LogTrouble } from '../destination/log-trouble.ts';

export interface AccessLogOptions {
  readonly timers: Timers;
  /** Lines were lost, or a reopening failed; comes at most once a minute. */
  readonly onTrouble: (trouble: LogTrouble) => void;
}

/** Off until `update` turns it on. */
export class AccessLog implements ExchangeObserver {
  readonly #options: AccessLogOptions;
  #settings: AccessLogSnapshot | null = null;
  #format: LogFormat = LOG_FORMATS.json;
  #destination: LogDestination | null = null;
  /** Settles when the destinations of earlier settings have written their last. */
  #retired: Promise<unknown> = Promise.resolve();

  constructor(options: AccessLogOptions) {
    this.#options = options;
  }

  /**
   * Takes the settings of a new Snapshot; null turns the log off. Lines taken before go where they would have gone.
   * @throws Error of the system when the output can't be opened; then nothing has changed
   */
  update(settings: AccessLogSnapshot | null): void {
    if (settings?.output !== this.#settings?.output) this.#redirect(settings);
    if (settings !== null) this.#format = LOG_FORMATS[settings.format];
    this.#settings = settings;
  }

  #redirect(settings: AccessLogSnapshot | null): void {
    const next = settings === null ? null : new LogDestination({ output: settings.output, ...this.#options });
    this.#retired = Promise.all([this.#retired, this.#destination?.close()]);
    this.#destination = next;
  }

  /** Whether the log is on: the HAProxy format prints the load. */
  get readsLoad(): boolean {
    return this.#destination !== null;
  }

  /** Logs an ended exchange. Never throws and never waits. */
  exchangeEnded(record: ExchangeRecord): void {
    if (this.#destination !== null) this.#destination.append(this.#format(record));
  }

  /** Opens the file anew, after a log rotation (USR1). */
  reopen(): void {
    this.#destination?.reopen();
  }

  /** Writes what is left before it returns: for a worker that is about to end without a drain. */
  flushNow(): void {
    this.#destination?.flushNow();
  }

  /** Writes what is left, waiting a second at most, and turns the log off. */
  async close(): Promise<void> {
    const destination = this.#destination;
    this.#destination = null;
    this.#settings = null;
    await Promise.all([this.#retired, destination?.close()]);
  }
}
