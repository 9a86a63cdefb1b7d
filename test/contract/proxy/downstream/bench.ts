// A Downstream on loopback with a scripted starter behind it, and clients of either protocol before it. Thread: main.

import { ClientMemory } from '../../../../core/memory/client-memory.ts';
import { Region } from '../../../../core/memory/region.ts';
import type { Clock } from '../../../../core/clock.ts';
import { LISTENER_FIELD, type ListenerField } from '../../../../core/memory/lane-fields.ts';
import { WORKER } from '../../../../core/memory/layout.ts';
import { seededRandom } from '../../../../core/random.ts';
import { systemClock } from '../../../../core/clock.ts';
import type { ClientLimits, ClientTimeouts, ListenerSnapshot } from '../../../../core/snapshot/listener.ts';
import type { TicketSecrets } from '../../../../core/ticket-secrets.ts';
import { Downstream } from '../../../../proxy/downstream/downstream.ts';
import type { Http1Parts } from '../../../../proxy/downstream/http1/http1-context.ts';
import { RawClient } from '../../../support/raw-client.ts';
import { listenerSnapshot } from '../../../support/snapshots.ts';
import { ScriptedStarter } from './scripted-starter.ts';
import { type LogLine, recordingLog } from '../../../support/loggers.ts';

export interface BenchOptions {
  readonly listener?: Partial<ListenerSnapshot>;
  readonly timeouts?: Partial<ClientTimeouts>;
  readonly limits?: Partial<ClientLimits>;
  readonly clock?: Clock;
  readonly ticketSecrets?: TicketSecrets;
  /** The most files that the process may have open. */
  readonly openFiles?: number;
  /** Turns the fast path on. */
  readonly fast?: Http1Parts;
}

let fastByDefault: () => Http1Parts | undefined = () => undefined;

/** Turns the engine on in every bench of this process by default: one suite, two paths. */
export function useFastPath(parts: () => Http1Parts): void {
  fastByDefault = parts;
}

/** Skips a case that holds for node:http alone where the engine is on. */
export function generalOnly(reason: string): { skip: string | false } {
  return { skip: fastByDefault() === undefined ? false : `the fast path ${reason}` };
}

export class Bench {
  readonly starter = new ScriptedStarter();
  readonly region = Region.allocate({ endpoints: 1, upstreams: 1, workers: 2, listeners: 2 }, 0);
  readonly logged: LogLine[] = [];
  readonly downstream: Downstream;
  readonly listener: ListenerSnapshot;
  port = 0;

  constructor(options: BenchOptions) {
    const base = listenerSnapshot(options.listener);
    this.listener = {
      ...base,
      timeouts: { ...base.timeouts, ...options.timeouts },
      limits: { ...base.limits, ...options.limits },
    };
    const fast = options.fast ?? fastByDefault();
    const clients = this.listener.limits.connectionsPerClient === 0 ? undefined : ClientMemory.allocate(2, [1, 2]);
    this.downstream = new Downstream({
      starter: this.starter,
      region: this.region,
      worker: 0,
      clock: options.clock ?? systemClock,
      log: recordingLog(this.logged),
      random: seededRandom(1),
      sweepIntervalMs: 20,
      ...(options.ticketSecrets === undefined ? {} : { ticketSecrets: options.ticketSecrets }),
      ...(options.openFiles === undefined ? {} : { openFiles: options.openFiles }),
      ...(fast === undefined ? {} : { fast }),
      ...(clients === undefined ? {} : { clients: { clients, counts: clients.countsOf(0) } }),
    });
  }

  /** Binds the listener. */
  async start(): Promise<this> {
    const [bound] = await this.downstream.apply([this.listener]);
    this.port = bound!.port;
    return this;
  }

  /** Closes everything at once. */
  async stop(): Promise<void> {
    await this.downstream.drain(0);
  }

  count(field: ListenerField, worker = 0): number {
    return this.region.doubles[this.region.listenerLane(worker, 0) + LISTENER_FIELD[field]]!;
  }

  get openConnections(): number {
    return this.region.words[this.region.workerWord(0) + WORKER.openConnections.index]!;
  }
}

/** Runs a test with a bench and one raw client, and closes both afterwards. */
export async function withBench(
  options: BenchOptions,
  play: (bench: Bench, client: RawClient) => Promise<void>,
): Promise<void> {
  const bench = await new Bench(options).start();
  const { tls } = bench.listener;
  const client = await RawClient.connect(tls === null ? { port: bench.port } : { port: bench.port, tls: {} });
  try {
    await play(bench, client);
  } finally {
    client.destroy();
    await bench.stop();
  }
}
