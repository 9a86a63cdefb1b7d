// Registers Fairlead as a service of Consul: registers at the agent of this machine, reports its health there, registers
// again where the agent has lost it, and removes the registration in a drain. Thread: main.

import type { Logger } from '../../core/log.ts';
import { HttpClient, type HttpOutcome } from '../http/http-client.ts';
import { describeAddress, tokenNow } from '../http/http-settings.ts';
import { type StepOutcome, WatchLoop, type WatchLoopParts } from '../http/watch-loop.ts';
import type { SourceFiles } from '../source.ts';
import type { RegistrationSettings } from './registration-settings.ts';

/** Reports in one TTL: two may be lost. */
const REPORTS_IN_TTL = 3;
/** With an HTTP check, the agent is asked this often whether it still has the service. */
const CONFIRM_MS = 10_000;
const REQUEST_MS = 5_000;
/** A drain doesn't wait longer for an agent that doesn't answer. */
const REMOVAL_MS = 2_000;
const MOST_REFUSAL = 120;

/** An instance of the service. */
export interface Instance {
  readonly id: string;
  /** '' for the address of the agent's node. */
  readonly address: string;
  readonly port: number;
}

/** A registration, for operators. */
export interface RegistrationView {
  readonly id: string;
  readonly service: string;
  /** The agent. */
  readonly subject: string;
  /** '' for the address of the agent's node. */
  readonly address: string;
  readonly port: number;
  /** `pending`: it was never made; `stale`: the last contact failed. */
  readonly state: 'pending' | 'current' | 'stale';
  /** Wall-clock time of the last contact that succeeded; null before the first. */
  readonly confirmedAt: number | null;
  /** Why it isn't current. */
  readonly cause: string;
}

export interface RegistrationParts extends WatchLoopParts {
  readonly log: Logger;
  readonly files: Pick<SourceFiles, 'readText'>;
  /** Why this process can't take requests; '' where it can. */
  readonly unreadiness: () => string;
}

export class ConsulRegistration {
  readonly instance: Instance;
  readonly #settings: RegistrationSettings;
  readonly #parts: RegistrationParts;
  readonly #client: HttpClient;
  readonly #loop: WatchLoop;
  #isRegistered = false;
  /** The last failure; '' after a success. */
  #cause = '';
  #confirmedAt: number | null = null;

  constructor(settings: RegistrationSettings, instance: Instance, parts: RegistrationParts) {
    this.instance = instance;
    this.#settings = settings;
    this.#parts = parts;
    this.#client = new HttpClient(settings.address, settings.tls, parts);
    this.#loop = new WatchLoop(
      parts,
      (signal) => this.#step(signal),
      (cause) => this.#onFailure(cause),
    );
    this.#loop.start();
  }

  /** Whether the agent had the instance at the last contact, which succeeded. */
  get isCurrent(): boolean {
    return this.#isRegistered && this.#cause === '';
  }

  view(): RegistrationView {
    const state = this.isCurrent ? 'current' : this.#confirmedAt === null ? 'pending' : 'stale';
    const { service } = this.#settings;
    return {
      ...this.instance,
      service,
      subject: this.#agent,
      state,
      confirmedAt: this.#confirmedAt,
      cause: this.#cause,
    };
  }

  /** The agent and the id: one registration can be there. */
  get place(): string {
    return `${this.#agent} ${this.instance.id}`;
  }

  get #agent(): string {
    return `Consul ${describeAddress(this.#settings.address)}`;
  }

  /** Reports no more, and leaves the instance to another process or to its successor. */
  stop(): void {
    this.#loop.stop();
    this.#client.close();
  }

  /** Removes the instance. Resolves after two seconds at most. */
  async withdraw(): Promise<void> {
    this.#loop.stop();
    const path = `/v1/agent/service/deregister/${encodeURIComponent(this.instance.id)}`;
    const cause = causeOf(await this.#put(path, undefined, { timeoutMs: REMOVAL_MS }));
    this.#client.close();
    const { log } = this.#parts;
    if (cause === '') log.info({ id: this.instance.id }, `registration ${this.instance.id} at ${this.#agent} removed`);
    else
      log.warn({ id: this.instance.id, cause }, `registration ${this.instance.id} at ${this.#agent} stays: ${cause}`);
  }

  async #step(signal: AbortSignal): Promise<StepOutcome> {
    const { httpCheck, ttlMs } = this.#settings;
    const isTtl = httpCheck === '';
    let outcome: HttpOutcome | null = null;
    if (this.#isRegistered) {
      outcome = await (isTtl ? this.#report(signal) : this.#confirm(signal));
      // The agent has lost it: its data directory is new, or an operator has removed it.
      if (isUnknown(outcome)) this.#isRegistered = false;
    }
    if (!this.#isRegistered) outcome = await this.#register(signal);
    const cause = causeOf(outcome!);
    if (cause !== '') return { ok: false, cause };
    if (this.#cause !== '' || !this.#isRegistered) this.#logRegistered();
    this.#isRegistered = true;
    this.#cause = '';
    this.#confirmedAt = this.#parts.clock.wallMs();
    return { ok: true, delayMs: isTtl ? ttlMs / REPORTS_IN_TTL : CONFIRM_MS };
  }

  #register(signal: AbortSignal): Promise<HttpOutcome> {
    const { service, tags, meta, ttlMs, httpCheck, intervalMs, removeAfterMs } = this.#settings;
    const { id, address, port } = this.instance;
    const unreadiness = this.#parts.unreadiness();
    const check = {
      CheckID: checkIdOf(id),
      Name: 'Fairlead is ready',
      ...(httpCheck === ''
        ? { TTL: `${ttlMs}ms`, Status: unreadiness === '' ? 'passing' : 'critical', Notes: 'reported by Fairlead' }
        : { HTTP: httpCheck, Interval: `${intervalMs}ms`, Timeout: `${intervalMs}ms` }),
      ...(removeAfterMs > 0 && { DeregisterCriticalServiceAfter: `${removeAfterMs}ms` }),
    };
    const body = {
      ID: id,
      Name: service,
      Port: port,
      ...(address !== '' && { Address: address }),
      Tags: tags,
      Meta: meta,
      Check: check,
    };
    return this.#put('/v1/agent/service/register?replace-existing-checks=true', body, { signal });
  }

  #report(signal: AbortSignal): Promise<HttpOutcome> {
    const unreadiness = this.#parts.unreadiness();
    const path = `/v1/agent/check/update/${encodeURIComponent(checkIdOf(this.instance.id))}`;
    const body = { Status: unreadiness === '' ? 'passing' : 'critical', Output: unreadiness || 'ready' };
    return this.#put(path, body, { signal });
  }

  #confirm(signal: AbortSignal): Promise<HttpOutcome> {
    return this.#send({ path: `/v1/agent/service/${encodeURIComponent(this.instance.id)}`, signal });
  }

  #put(path: string, body: object | undefined, limits: Limits): Promise<HttpOutcome> {
    return this.#send({ method: 'PUT', path, body: body === undefined ? '' : JSON.stringify(body), ...limits });
  }

  #send(request: Parameters<HttpClient['send']>[0]): Promise<HttpOutcome> {
    const token = tokenNow(this.#settings.token, this.#parts.files);
    if (!token.ok) return Promise.resolve({ ok: false, cause: token.message });
    const fields = { ...(token.value !== '' && { 'x-consul-token': token.value }) };
    return this.#client.send({ timeoutMs: REQUEST_MS, ...request, fields });
  }

  #onFailure(cause: string): void {
    const isNews = cause !== this.#cause;
    this.#cause = cause;
    if (!isNews) return;
    const text = `registration ${this.instance.id} at ${this.#agent} failed: ${cause}; it is tried again`;
    this.#parts.log.warn({ id: this.instance.id, cause }, text);
  }

  #logRegistered(): void {
    const { service } = this.#settings;
    const { id, address, port } = this.instance;
    const where = address === '' ? `port ${port} of the agent's node` : `${address} port ${port}`;
    this.#parts.log.info({ id, service }, `registered at ${this.#agent} as ${id} of service ${service}: ${where}`);
  }
}

interface Limits {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

function checkIdOf(id: string): string {
  return `${id}:ready`;
}

/** Agents before 1.13 answer 500 for a check that they don't have. */
function isUnknown(outcome: HttpOutcome): boolean {
  return (
    outcome.ok && (outcome.status === 404 || (outcome.status === 500 && /unknown|does not have/i.test(outcome.text)))
  );
}

/** The reason why a request has failed; '' where it has not. */
function causeOf(outcome: HttpOutcome): string {
  if (!outcome.ok) return outcome.cause;
  const { status, text } = outcome;
  if (status === 200) return '';
  if (status === 403) return 'permission denied (403): the token needs service:write for the service';
  const words = text.replaceAll(/[^\x20-\x7e]+/g, ' ').trim();
  return `status ${status}${words === '' ? '' : `: ${words.slice(0, MOST_REFUSAL)}`}`;
}
