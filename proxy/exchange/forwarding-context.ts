// The shared services of forwarding in one worker. Thread: worker.

import type { Transport, Tunnels } from '../../core/exchange-contract.ts';
import type { ExchangeObserver } from '../../core/exchange-record.ts';
import type { Logger } from '../../core/log.ts';
import type { MessageToMain } from '../../core/messages.ts';
import type { LatencyBaselines } from '../placement/latency-baseline.ts';
import type { PlacementContext } from '../placement/placement-context.ts';
import type { Placer } from '../placement/placer.ts';
import type { SignalSink } from '../placement/signals.ts';
import type { PolicyRunner } from '../policies/policy-runner.ts';
import type { PolicyWatch } from '../policies/policy-watch.ts';
import type { Exchange } from './exchange.ts';
import type { OpenList } from './open-list.ts';
import type { ReplayBudget } from './replay-buffer.ts';
import type { RequestIds } from './request-id.ts';
import type { FileService } from '../files/file-service.ts';
import type { Runtime } from './runtime.ts';

/** The services that worker.ts provides. */
export interface ForwardingParts extends PlacementContext {
  readonly transport: Transport;
  readonly tunnels: Tunnels;
  /** The newest Runtime; exchanges keep the one that they began with. */
  runtime(): Runtime;
  /** Open exchanges that began with the newest Runtime. */
  open(): OpenList<Exchange>;
  /** Runs a function once the event loop has handled all events that it has received so far. */
  afterThisTurn(run: () => void): void;
  post(message: MessageToMain): void;
  readonly baselines: LatencyBaselines;
  /** Counts and logs the errors of policies. */
  readonly policyWatch: PolicyWatch;
  /** Memory left for bodies that are kept for a retry. */
  readonly replays: ReplayBudget;
  /** Receive the records of ended exchanges, in this order. */
  readonly observers: readonly ExchangeObserver[];
  readonly log: Logger;
}

/** The same with the parts that the Forwarder owns. */
export interface ForwardingContext extends ForwardingParts {
  readonly placer: Placer<Exchange>;
  readonly policies: PolicyRunner;
  readonly signals: SignalSink;
  readonly requestIds: RequestIds;
  readonly files: FileService;
}
