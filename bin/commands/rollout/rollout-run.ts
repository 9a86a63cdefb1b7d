// A rollout from start to end: starts the new process, brings its endpoint into service, drains the old endpoint, and stops
// its process; until the old endpoint is idle, every failure and every signal rolls back. Thread: main.

import type { EndpointAloneReply } from '../../../admin/api/endpoint-schemas.ts';
import type { Availability } from '../../../core/availability.ts';
import { UnreachableError } from '../live/admin-client.ts';
import { UsageError } from '../live/run-live-command.ts';
import { addedLine } from '../live/endpoints-text.ts';
import { type Call, RolloutApi } from './rollout-api.ts';
import { rollBack } from './roll-back.ts';
import {
  LOOK_MS,
  NEXT_PHASES,
  pendingOf,
  type RolloutOutcome,
  type RolloutPhase,
  type RolloutStart,
  type RolloutTools,
  secondsOf,
} from './rollout-parts.ts';
import type { RolloutPlan } from './rollout-plan.ts';

/** A reload or an upgrade of Fairlead interrupts the admin API for less than this. */
const UNREACHABLE_MS = 10_000;
const OUT_OF_SERVICE: ReadonlySet<Availability> = new Set(['down', 'ejected', 'unresolved', 'maintenance']);

export class Rollout {
  readonly #plan: RolloutPlan;
  readonly #tools: RolloutTools;
  readonly #api: RolloutApi;
  /** `upstream/address`. */
  readonly #oldName: string;
  readonly #newName: string;
  #phase: RolloutPhase = 'checking';

  constructor(plan: RolloutPlan, tools: RolloutTools) {
    this.#plan = plan;
    this.#tools = tools;
    this.#api = new RolloutApi((path, change) => this.#callPersistently(path, change));
    this.#oldName = `${plan.upstream}/${plan.old}`;
    this.#newName = `${plan.upstream}/${plan.new}`;
  }

  /** @throws UsageError before anything has changed; Error where the old endpoint can't be taken out at the end */
  async run(): Promise<RolloutOutcome> {
    const start = await this.#check();
    try {
      await this.#start(start);
      await this.#join(start);
      await this.#warm();
      await this.#drain();
    } catch (error) {
      const phase = this.#phase;
      this.#enter('rollingBack');
      const names = { oldName: this.#oldName, newName: this.#newName };
      const parts = { ...start, ...names, plan: this.#plan, tools: this.#tools, api: this.#api };
      return await rollBack(parts, phase, (error as Error).message);
    }
    return await this.#retire(start.old);
  }

  /**
   * Polls an endpoint until `isReached`. @throws Error after the timeout, or when the rollout is interrupted
   * @param isReached may throw; `extend` begins the timeout again
   */
  async #waitFor(what: string, isReached: (endpoint: EndpointAloneReply | null, extend: () => void) => boolean) {
    const { timeoutMs } = this.#plan;
    const startMs = this.#tools.nowMs();
    let deadlineMs = startMs + timeoutMs;
    const extend = (): void => void (deadlineMs = this.#tools.nowMs() + timeoutMs);
    for (;;) {
      this.#refuseInterrupted();
      const endpoint = await this.#api.endpoint(this.#newName);
      if (isReached(endpoint, extend)) return;
      const nowMs = this.#tools.nowMs();
      const state = endpoint === null ? 'unknown to Fairlead' : endpoint.cause;
      if (nowMs >= deadlineMs)
        throw new Error(`${this.#newName} is not ${what} after ${secondsOf(timeoutMs)}: ${state}`);
      this.#tools.show(`${this.#newName}: waits until it is ${what} (${state}), ${secondsOf(nowMs - startMs)}`);
      await this.#tools.sleep(LOOK_MS, this.#tools.signal);
    }
  }

  /** @throws UsageError */
  async #check(): Promise<RolloutStart> {
    const { upstream: name, old: address, new: next, isDiscovered, url } = this.#plan;
    const upstream = await this.#api.upstream(name);
    const old = await this.#api.endpoint(this.#oldName);
    if (old === null) {
      const known = upstream.endpoints.map((endpoint) => `\n  ${endpoint.name}`).join('');
      throw new UsageError(`upstream ${name} has no endpoint ${address}; there are:${known === '' ? ' none' : known}`);
    }
    if (hasNoHeartbeats(old)) {
      const reason = "a rollout can't find out whether the new endpoint is healthy";
      throw new UsageError(`upstream ${name} has no heartbeats: ${reason}; configure health.heartbeat`);
    }
    const newBefore = await this.#api.endpoint(this.#newName);
    if (newBefore !== null && isHealthy(newBefore) && newBefore.wishes.operator === 'ready') {
      throw new UsageError(`${this.#newName} is in service already: drain ${this.#oldName} and stop it`);
    }
    const joining = newBefore !== null ? 'present' : isDiscovered ? 'discovered' : 'added';
    if (joining === 'added' && upstream.sources.length > 0) {
      const kinds = upstream.sources.map(({ source }) => source).join(', ');
      const advice = 'with --discovered the rollout waits until the source adds it';
      throw new UsageError(
        `upstream ${name} has endpoints from sources (${kinds}), and ${next} is none yet; ${advice}`,
      );
    }
    const scheme = upstream.protocol === 'tcp' ? 'tcp' : 'http';
    return { old, newBefore, joining, url: url ?? `${scheme}://${next}` };
  }

  /** A known endpoint drains first, so that heartbeats decide when it serves. */
  async #start({ joining, newBefore }: RolloutStart): Promise<void> {
    this.#enter('starting');
    if (joining === 'present' && newBefore?.wishes.operator !== 'drain') {
      await this.#api.setState(this.#newName, 'drain');
    }
    if (this.#plan.start === '') return;
    this.#tools.say(`start: ${this.#plan.start}`);
    const failure = await this.#tools.run(this.#plan.start, this.#tools.signal);
    this.#refuseInterrupted();
    if (failure !== '') throw new Error(`the start command failed: ${failure}`);
  }

  /** The endpoint is added in drain: it gets no request before a heartbeat has passed. */
  async #join({ joining, old, url }: RolloutStart): Promise<void> {
    this.#enter('joining');
    if (joining === 'added') {
      const { weight, backup, zone } = old;
      const body = { url, weight, backup, zone, admin: 'drain' };
      this.#tools.say(addedLine(await this.#api.add(this.#plan.upstream, body)));
    }
    // A heartbeat of an earlier process at the address doesn't count.
    const checksBefore = (await this.#api.endpoint(this.#newName))?.health.checks ?? 0;
    const isNew = (endpoint: EndpointAloneReply): boolean =>
      joining === 'discovered' || endpoint.health.checks > checksBefore;
    await this.#waitFor('healthy', (endpoint) => endpoint !== null && isHealthy(endpoint) && isNew(endpoint));
    if (joining !== 'discovered') await this.#api.setState(this.#newName, 'ready');
  }

  async #warm(): Promise<void> {
    this.#enter('warming');
    await this.#waitFor('in full service', (endpoint, extend) => {
      this.#refuseOut(endpoint);
      if (endpoint!.warming !== null) extend();
      return endpoint!.availability === 'up' && endpoint!.warming === null;
    });
    this.#tools.say(`${this.#newName} is in service`);
  }

  /** The first look comes after a pause: a request that was sent at the moment of the change is counted by then. */
  async #drain(): Promise<void> {
    this.#enter('draining');
    const { drainTimeoutMs } = this.#plan;
    await this.#api.setState(this.#oldName, 'drain');
    const startMs = this.#tools.nowMs();
    for (;;) {
      await this.#tools.sleep(LOOK_MS, this.#tools.signal);
      this.#refuseInterrupted();
      this.#refuseOut(await this.#api.endpoint(this.#newName));
      const pending = pendingOf(await this.#api.endpoint(this.#oldName));
      if (pending === 0) return;
      const passedMs = this.#tools.nowMs() - startMs;
      this.#tools.show(`${this.#oldName}: ${pending} in flight, ${secondsOf(passedMs)}`);
      if (passedMs < drainTimeoutMs) continue;
      this.#tools.say(`${this.#oldName} still has ${pending} in flight after ${secondsOf(drainTimeoutMs)}`);
      return;
    }
  }

  /**
   * Removes the old endpoint where the admin API has added it. Another one goes into maintenance, so that sticky clients
   * move too, before its process stops. Nothing interrupts it.
   */
  async #retire({ source, origin }: EndpointAloneReply): Promise<RolloutOutcome> {
    this.#enter('retiring');
    const notes: string[] = [];
    if (source === 'api') {
      await this.#api.remove(this.#oldName);
      this.#tools.say(`${this.#oldName} is drained and removed`);
    } else {
      await this.#api.setState(this.#oldName, 'maintenance');
      const place = source === 'config' ? 'the configuration' : `the source ${origin}`;
      const note = `${this.#oldName} comes from ${place}: it stays in maintenance until it is removed there`;
      this.#tools.say(note);
      notes.push(note);
      await this.#tools.sleep(LOOK_MS, null);
    }
    const outcome = { result: 'done', phase: this.#phase, why: null, notes } as const;
    if (this.#plan.stop === '') return { ...outcome, cause: '' };
    this.#tools.say(`stop: ${this.#plan.stop}`);
    const failure = await this.#tools.run(this.#plan.stop, null);
    return { ...outcome, cause: failure === '' ? '' : `the stop command failed: ${failure}` };
  }

  #enter(next: RolloutPhase): void {
    const allowed: readonly RolloutPhase[] = NEXT_PHASES[this.#phase];
    if (!allowed.includes(next)) throw new Error(`a rollout can't go from ${this.#phase} to ${next}`);
    this.#phase = next;
  }

  #refuseInterrupted(): void {
    if (this.#tools.signal.aborted) throw new Error('interrupted');
  }

  /** @throws Error where the new endpoint takes no requests */
  #refuseOut(endpoint: EndpointAloneReply | null): void {
    if (endpoint === null) throw new Error(`${this.#newName} was removed meanwhile`);
    const { availability, cause } = endpoint;
    if (OUT_OF_SERVICE.has(availability)) throw new Error(`${this.#newName} is ${availability}: ${cause}`);
  }

  /** Calls again while the admin API can't be reached, for a time. */
  async #callPersistently(...[path, change]: Parameters<Call>): ReturnType<Call> {
    const deadlineMs = this.#tools.nowMs() + (this.#phase === 'checking' ? 0 : UNREACHABLE_MS);
    for (;;) {
      try {
        return await this.#tools.call(path, change);
      } catch (error) {
        if (!(error instanceof UnreachableError) || this.#tools.nowMs() >= deadlineMs) throw error;
        await this.#tools.sleep(LOOK_MS, null);
      }
    }
  }
}

function isHealthy({ check, resolution }: EndpointAloneReply): boolean {
  return check === 'up' && resolution === 'resolved';
}

/** An endpoint in maintenance has none for now. */
function hasNoHeartbeats({ check, nextCheck, health, wishes }: EndpointAloneReply): boolean {
  return check === 'unknown' && nextCheck === null && health.checks === 0 && wishes.operator !== 'maintenance';
}
