// What forwarding works with in one worker: given once by worker.ts. Thread: worker.

import type { Clock } from '../../core/clock.ts';
import type { Transport, Tunnels } from '../../core/exchange-contract.ts';
import type { ExchangeRecord } from '../../core/exchange-record.ts';
import type { Logger } from '../../core/log.ts';
import type { Region } from '../../core/memory/region.ts';
import type { MessageToMain } from '../../core/messages.ts';
import type { Random } from '../../core/random.ts';
import type { TimerWheel } from '../../core/timer-wheel.ts';
import type { WorkerLanes } from '../account/lane.ts';
import type { LatencyBaselines } from '../placement/latency-baseline.ts';
import type { Exchange } from './exchange.ts';
import type { OpenList } from './open-list.ts';
import type { Overload } from '../policies/overload.ts';
import type { ReplayBudget } from './replay-buffer.ts';
import type { Runtime } from './runtime.ts';

export interface ForwardingContext {
  readonly region: Region;
  readonly worker: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimerWheel;
  readonly transport: Transport;
  readonly tunnels: Tunnels;
  /** The newest Runtime; exchanges keep the one they began with. */
  runtime(): Runtime;
  /** Exchanges that are open and began with it. */
  open(): OpenList<Exchange>;
  /** Runs something when the event loop has handled all events that it has seen already. */
  afterThisTurn(run: () => void): void;
  post(message: MessageToMain): void;
  readonly lanes: WorkerLanes;
  /** How fast endpoints usually answer this worker. */
  readonly paces: LatencyBaselines;
  /** Says which requests must be refused to protect the process. */
  readonly overload: Pick<Overload, 'mustRefuse'>;
  /** What is left for bodies that are kept for a retry. */
  readonly replays: ReplayBudget;
  /** Writes an ended exchange's access log line; null where none is wanted. */
  accessLog(): ((record: ExchangeRecord) => void) | null;
  readonly log: Logger;
}
