// Applies the reports of endpoints in their heartbeat responses (docs/algorithms.md 2.2): weight, drain and maintenance, down
// and up. An endpoint can cancel only its own reports, and only it can; weight and limit expire. Thread: main.

import type { Clock } from '../../core/clock.ts';
import type { TimerHandle, Timers } from '../../core/timers.ts';
import { askedShareOf, nextShare } from './agent-state.ts';
import { readAgentWords, type AgentReport } from './agent-words.ts';
import type { EndpointHealth } from '../state/endpoint-health.ts';
import type { Logger } from '../../core/log.ts';
import type { WeightShares } from './weight-shares.ts';

/** Intervals without a report of the weight, or of the limit, after which the last one expires. */
const STALE_AFTER = 3;

export interface AgentFeedbackOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly shares: WeightShares;
  readonly log: Logger;
}

export class AgentFeedback {
  readonly #options: AgentFeedbackOptions;
  /** Next step towards the full weight, for endpoints whose reported weight has expired. */
  readonly #timers = new Map<number, TimerHandle>();
  /** Expiry of reported limits that aren't repeated. */
  readonly #limitTimers = new Map<number, TimerHandle>();

  constructor(options: AgentFeedbackOptions) {
    this.#options = options;
  }

  /** Applies the words of one response. Values that it doesn't mention stay. */
  apply(health: EndpointHealth, text: string): void {
    const report = readAgentWords(text);
    const { agent } = health;
    agent.reportedAt = this.#options.clock.wallMs();
    agent.said = report.said;
    for (const word of report.words) agent.wordCounts[word]++;
    this.#noteMisspoken(health, report);
    if (report.admin !== null) this.#setAdmin(health, report.admin, `its agent says ${report.said}`);
    if (report.service !== null) agent.down = report.service.isUp ? null : report.service;
    this.#takeWeight(health, report);
    if (report.maxConnections !== null) this.#takeLimit(health, report.maxConnections);
  }

  /** Agent feedback was turned off (a reload): cancels all reports of the endpoint. */
  dismiss(health: EndpointHealth): void {
    const { agent } = health;
    if (agent.reportedAt === 0) return;
    agent.reportedAt = 0;
    agent.said = '';
    agent.down = null;
    agent.askedShare = null;
    this.forget(health.slot);
    this.#limit(health, null);
    this.#options.shares.set(health, 'agent', 1);
    this.#setAdmin(health, 'ready', 'its agent is not asked any more');
  }

  /** Drops all state of a slot: its endpoint is removed. */
  forget(slot: number): void {
    this.#forgetWeight(slot);
    this.#forgetLimit(slot);
  }

  #forgetWeight(slot: number): void {
    this.#timers.get(slot)?.cancel();
    this.#timers.delete(slot);
  }

  #forgetLimit(slot: number): void {
    this.#limitTimers.get(slot)?.cancel();
    this.#limitTimers.delete(slot);
  }

  #setAdmin(health: EndpointHealth, admin: 'ready' | 'drain' | 'maintenance', cause: string): void {
    health.state.setAdmin(admin, this.#options.clock.nowMs(), { detector: 'agent', cause });
  }

  #takeWeight(health: EndpointHealth, report: AgentReport): void {
    const asked = askedShareOf(report, health.weight);
    if (asked === null) return;
    health.agent.askedShare = asked;
    this.#options.shares.set(health, 'agent', nextShare(health.shares.agent, asked));
    this.#waitForMore(health, STALE_AFTER);
  }

  /** A reported limit applies at once, and expires if it isn't repeated. */
  #takeLimit(health: EndpointHealth, maxConnections: number): void {
    this.#limit(health, maxConnections);
    this.#forgetLimit(health.slot);
    const intervalMs = health.upstream.snapshot.heartbeat?.intervalMs ?? 0;
    const timer = this.#options.timers.after(intervalMs * STALE_AFTER, () => {
      this.#forgetLimit(health.slot);
      this.#limit(health, null);
    });
    this.#limitTimers.set(health.slot, timer);
  }

  #limit(health: EndpointHealth, maxConnections: number | null): void {
    if (health.agent.maxConnections === maxConnections) return;
    health.agent.maxConnections = maxConnections;
    this.#options.shares.publishLimit(health);
  }

  /** An expired weight returns to neutral step by step, one step per interval. */
  #waitForMore(health: EndpointHealth, intervals: number): void {
    this.#forgetWeight(health.slot);
    const intervalMs = health.upstream.snapshot.heartbeat?.intervalMs ?? 0;
    const timer = this.#options.timers.after(intervalMs * intervals, () => {
      this.#forgetWeight(health.slot);
      health.agent.askedShare = null;
      this.#options.shares.set(health, 'agent', nextShare(health.shares.agent, 1));
      if (health.shares.agent !== 1) this.#waitForMore(health, 1);
    });
    this.#timers.set(health.slot, timer);
  }

  /** Logs unknown words once per episode. */
  #noteMisspoken(health: EndpointHealth, { unknown }: AgentReport): void {
    const { agent, endpoint, upstream } = health;
    if (unknown.length > 0 && !agent.isMisspoken) {
      const text = `endpoint ${endpoint.name}: its agent says what is no word of the protocol: ${unknown.join(' ')}`;
      this.#options.log.warn({ upstream: upstream.snapshot.name, endpoint: endpoint.name, unknown }, text);
    }
    agent.isMisspoken = unknown.length > 0;
  }
}
