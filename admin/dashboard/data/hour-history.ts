// The last hour of traffic as the server keeps it, extended with each answer. Pure. Runs in the browser.

import type { Hour } from '../types.ts';
import type { ChartData } from './recent-samples.ts';

/** Steps of an hour. */
const MOST_STEPS = 360;

type Series = Hour['total'];
export type SeriesField = keyof Series;

export class HourHistory {
  #times: string[] = [];
  /** The same in seconds. */
  #seconds: number[] = [];
  /** By name; the total has the empty name. */
  #series = new Map<string, Series>();
  #budget: Hour['budget'] | null = null;

  get budget(): Hour['budget'] | null {
    return this.#budget;
  }

  /** End of the newest step; '' without one. */
  get newest(): string {
    return this.#times.at(-1) ?? '';
  }

  /** Adds the steps of an answer that are newer than the kept ones. */
  add(hour: Hour): void {
    const from = hour.times.findIndex((time) => time > this.newest);
    const added = from === -1 ? [] : hour.times.slice(from);
    const before = this.#times.length;
    const drop = Math.max(0, before + added.length - MOST_STEPS);
    this.#times = [...this.#times, ...added].slice(drop);
    this.#seconds = this.#times.map((time) => Date.parse(time) / 1000);
    const named = [['', hour.total] as const, ...hour.upstreams.map((one) => [one.name, one] as const)];
    this.#series = new Map(
      named.map(([name, series]) => {
        const kept = this.#series.get(name);
        return [name, joined(kept, series, { before, from: from === -1 ? hour.times.length : from, drop })];
      }),
    );
    this.#budget = hour.budget;
  }

  /** Times in seconds and a list of values per field. @param name of an upstream; '' for the total */
  read(name: string, ...fields: SeriesField[]): ChartData {
    const series = this.#series.get(name);
    return [this.#seconds, ...fields.map((field) => series?.[field] ?? this.#seconds.map(() => null))];
  }

  /** Highest value of a field over all upstreams: the common scale of their charts. */
  highest(field: SeriesField): number {
    const lists = [...this.#series].flatMap(([name, series]) => (name === '' ? [] : series[field]));
    return lists.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  }

  /** Newest value of a field by name. */
  newestOf(field: SeriesField): ReadonlyMap<string, number | null> {
    return new Map([...this.#series].map(([name, series]) => [name, series[field].at(-1) ?? null]));
  }

  /** Newest known value. */
  last(name: string, field: SeriesField): number | null {
    return this.#series.get(name)?.[field].at(-1) ?? null;
  }
}

interface Cut {
  readonly before: number;
  readonly from: number;
  readonly drop: number;
}

function joined(kept: Series | undefined, added: Series, { before, from, drop }: Cut): Series {
  const join = (field: SeriesField): (number | null)[] => {
    const old = kept?.[field] ?? Array.from({ length: before }, () => null);
    return [...old, ...added[field].slice(from)].slice(drop);
  };
  return {
    requestsPerSecond: join('requestsPerSecond'),
    errorsPerSecond: join('errorsPerSecond'),
    p50Ms: join('p50Ms'),
    p99Ms: join('p99Ms'),
    inFlight: join('inFlight'),
    queued: join('queued'),
    saturation: join('saturation'),
  };
}
