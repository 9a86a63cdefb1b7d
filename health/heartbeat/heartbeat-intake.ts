// Takes finished heartbeats: judges each, notes it, and moves the check axis where it counts. Thread: main.

import type { Clock } from '../../core/clock.ts';
import type { Region } from '../../core/memory/region.ts';
import type { HeartbeatSnapshot } from '../../core/snapshot/health.ts';
import type { AgentFeedback } from '../weight/agent-feedback.ts';
import type { CheckEvent } from '../state/check-axis.ts';
import type { Because } from '../state/detector.ts';
import { isEjectionAllowed } from '../outlier/ejection-limit.ts';
import type { EndpointHealth } from '../state/endpoint-health.ts';
import type { Logger } from '../../core/log.ts';
import { heartbeatWords, streakWords } from '../record/health-words.ts';
import type { HeartbeatRecord } from '../checkers/checker.ts';
import { judgeHeartbeat, stampAgeMs, type HeartbeatVerdict } from './heartbeat-verdict.ts';
import type { NameWatch } from './name-watch.ts';
import type { Publisher } from '../state/publisher.ts';

export interface HeartbeatIntakeOptions {
  readonly region: Region;
  readonly clock: Clock;
  readonly log: Logger;
  readonly publisher: Publisher;
  readonly agents: AgentFeedback;
  readonly names: NameWatch;
}

export class HeartbeatIntake {
  readonly #options: HeartbeatIntakeOptions;

  constructor(options: HeartbeatIntakeOptions) {
    this.#options = options;
  }

  /** Processes one result. Returns the words of a heartbeat that passed and counts, otherwise null. */
  take(health: EndpointHealth, record: HeartbeatRecord): string | null {
    const { heartbeat } = health.upstream.snapshot;
    if (heartbeat === null) return null;
    const { agentWords } = record;
    if (heartbeat.acceptsAgentFeedback && agentWords !== undefined) this.#options.agents.apply(health, agentWords);
    const verdict = health.agent.down === null ? this.#judge(health, record, heartbeat) : 'condemn';
    if (health.silentSinceMs !== null && record.startedMs >= health.silentSinceMs) health.silentSinceMs = null;
    if (health.aliveSinceMs !== null && record.startedMs >= health.aliveSinceMs) health.aliveSinceMs = null;
    const at = this.#options.clock.wallMs();
    health.noteHeartbeat({ ...record, at, isContradicted: verdict === 'contradicted' });
    const words = heartbeatWords(heartbeat, record);
    this.#options.names.take(health, record, words);
    if (record.isUnresolved !== true) this.#noteEpisodes(health, verdict, words);
    if (verdict === 'contradicted' || verdict === 'unknown') return null;
    health.state.heartbeat(verdict, this.#options.clock.nowMs(), becauseOf(health, verdict, words));
    return verdict === 'pass' || verdict === 'restore' ? words : null;
  }

  #judge(health: EndpointHealth, record: HeartbeatRecord, heartbeat: HeartbeatSnapshot): HeartbeatVerdict {
    const { region, clock, publisher } = this.#options;
    const { maxEjectedPercent } = health.upstream.snapshot.passive;
    const nowStampMs = clock.wallMs() - region.originWallMs;
    return judgeHeartbeat(record, {
      state: health.state,
      liveSuccessAgeMs: stampAgeMs(publisher.lastSuccess(health.slot), nowStampMs),
      fastIntervalMs: heartbeat.fastIntervalMs,
      isDispensable: () => isEjectionAllowed(health.upstream.census(), maxEjectedPercent),
      silentSinceMs: health.silentSinceMs,
      aliveSinceMs: health.aliveSinceMs,
      isNoneUp: () => !health.upstream.hasEndpointUp(),
      nowMs: clock.nowMs(),
    });
  }

  /** Logs once for each episode that results don't count. An episode ends with a result that does. */
  #noteEpisodes(health: EndpointHealth, verdict: HeartbeatVerdict, words: string): void {
    const { name } = health.endpoint;
    const fields = { upstream: health.upstream.snapshot.name, endpoint: name, cause: words };
    if (verdict === 'contradicted' && !health.isContradicted) {
      this.#options.log.warn(fields, `endpoint ${name}: ${words}, but live traffic succeeds: it doesn't count`);
    }
    if (verdict === 'unknown' && !health.isCheckerFailing) {
      this.#options.log.warn(fields, `endpoint ${name}: ${words}: our own trouble, it doesn't count`);
    }
    if (verdict !== 'unknown') health.isContradicted = verdict === 'contradicted';
    health.isCheckerFailing = verdict === 'unknown';
  }
}

/** An endpoint that reports itself down is down, whatever the rest of its response. */
function becauseOf({ agent, state }: EndpointHealth, verdict: CheckEvent, words: string): Because {
  if (agent.down !== null) {
    const { word, reason } = agent.down;
    return { detector: 'agent', cause: `its agent says ${word}${reason === '' ? '' : ` #${reason}`}` };
  }
  return { detector: 'heartbeat', cause: `${words} (${streakWords(state.check, verdict, state.settings.thresholds)})` };
}
