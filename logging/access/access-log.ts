// The access log of one worker: formats finished exchanges and passes them to the worker's own destination. Costs one
// comparison where it is off. Thread: worker.

import type { ExchangeObserver, ExchangeRecord } from '../../core/exchange-record.ts';
import type { AccessLogSnapshot } from '../../core/snapshot/snapshot.ts';
import { systemClock } from '../../core/clock.ts';
import type { DestinationParts, LineDestination } from '../destination/line-destination.ts';
import { LogDestination } from '../destination/log-destination.ts';
import { openSyslog } from '../destination/syslog-destination.ts';
import type { FormatRecord } from './format-descriptor.ts';
import { buildLogFilter } from './log-filter.ts';
import { buildLogFormat } from './log-formats.ts';

/** Off until `update` turns it on. */
export class AccessLog implements ExchangeObserver {
  readonly #options: DestinationParts;
  #settings: AccessLogSnapshot | null = null;
  #format: FormatRecord | null = null;
  #destination: LineDestination | null = null;
  /** Null if every exchange is logged. */
  #isLogged: ((record: ExchangeRecord) => boolean) | null = null;
  /** Settles when the destinations of earlier settings have written their last line. */
  #retired: Promise<unknown> = Promise.resolve();

  constructor(options: DestinationParts) {
    this.#options = options;
  }

  /**
   * Applies the settings of a new Snapshot; null turns the log off. Lines logged before go to the earlier output.
   * @throws Error of the system when the output can't be opened; then nothing has changed
   */
  update(settings: AccessLogSnapshot | null): void {
    const isSameFormat = settings === null || !isOtherFormat(settings, this.#settings);
    const format = isSameFormat ? this.#format : buildLogFormat(settings);
    const output = JSON.stringify(settings?.output);
    if (output !== JSON.stringify(this.#settings?.output)) this.#redirect(settings);
    this.#isLogged = settings?.filter ? buildLogFilter(settings.filter) : null;
    this.#format = format;
    this.#settings = settings;
  }

  #redirect(settings: AccessLogSnapshot | null): void {
    const next = settings === null ? null : this.#open(settings.output);
    this.#retired = Promise.all([this.#retired, this.#destination?.close()]);
    this.#destination = next;
  }

  #open(output: AccessLogSnapshot['output']): LineDestination {
    if (typeof output === 'string') return new LogDestination({ output, ...this.#options });
    return openSyslog({ syslog: output, wallMs: () => systemClock.wallMs(), ...this.#options });
  }

  /** Whether the log is on: the HAProxy format prints the load. */
  get readsLoad(): boolean {
    return this.#destination !== null;
  }

  /** Logs a finished exchange. Never throws and never waits: a line that the format can't make counts as lost. */
  exchangeEnded(record: ExchangeRecord): void {
    if (this.#destination === null || this.#format === null) return;
    try {
      if (this.#isLogged !== null && !this.#isLogged(record)) return;
      this.#destination.append(this.#format(record));
    } catch {
      this.#destination.lose('FORMAT', 1);
    }
  }

  /** Reopens the file, after a log rotation (USR1). */
  reopen(): void {
    this.#destination?.reopen();
  }

  /** Writes buffered lines before it returns: for a worker that ends without a drain. */
  flushNow(): void {
    this.#destination?.flushNow();
  }

  /** Writes buffered lines, waiting at most a second, and turns the log off. */
  async close(): Promise<void> {
    const destination = this.#destination;
    this.#destination = null;
    this.#settings = null;
    await Promise.all([this.#retired, destination?.close()]);
  }
}

function isOtherFormat(next: AccessLogSnapshot, current: AccessLogSnapshot | null): boolean {
  return next.format !== current?.format || JSON.stringify(next.settings) !== JSON.stringify(current.settings);
}
