// Admin API of an upstream in memory, with a clock, for tests of rollouts. Thread: main.

import type { EndpointAloneReply } from '../../admin/api/endpoint-schemas.ts';
import { type AdminAnswer, type AdminChange, UnreachableError } from '../../bin/commands/live/admin-client.ts';
import type { RolloutTools } from '../../bin/commands/rollout/rollout-parts.ts';
import { parsePlan, type RolloutOptions } from '../../bin/commands/rollout/rollout-plan.ts';
import { Rollout } from '../../bin/commands/rollout/rollout-run.ts';
import type { Admin, Availability, Check } from '../../core/availability.ts';

export interface FakeEndpoint {
  source: string;
  admin: Admin;
  check: Check;
  inFlight: number;
  warming: boolean;
  availability?: Availability;
  nextCheck: string | null;
}

const OLD = '10.0.0.1:3000';
const NEW = '10.0.0.2:3000';

export class FakeRollout {
  readonly endpoints = new Map<string, FakeEndpoint>();
  sources: object[] = [];
  /** Changes and commands, in order. */
  readonly log: string[] = [];
  /** Results of commands; '' for others. */
  readonly failures = new Map<string, string>();
  /** Called at each time. */
  readonly at = new Map<number, () => void>();
  readonly abort = new AbortController();
  isReachable = true;
  nowMs = 0;

  constructor() {
    this.put(OLD, { source: 'config', check: 'up' });
  }

  put(id: string, facts: Partial<FakeEndpoint> = {}): FakeEndpoint {
    const plain = { source: 'api', admin: 'ready', check: 'unknown', inFlight: 0, warming: false, nextCheck: 'soon' };
    const endpoint = { ...plain, ...facts } as FakeEndpoint;
    this.endpoints.set(id, endpoint);
    return endpoint;
  }

  get old(): FakeEndpoint {
    return this.endpoints.get(OLD)!;
  }

  get new(): FakeEndpoint {
    return this.endpoints.get(NEW)!;
  }

  run(options: Partial<RolloutOptions> = {}) {
    const commands = { start: 'start', stop: 'stop', rollback: 'rollback', timeout: '10s', admin: '' };
    return new Rollout(parsePlan('api', { old: OLD, new: NEW, ...commands, ...options }), this.#tools()).run();
  }

  #tools(): RolloutTools {
    return {
      call: (path, change) => this.#call(path, change),
      run: (command) => {
        this.log.push(`run ${command}`);
        this.at.get(-1)?.();
        return Promise.resolve(this.failures.get(command) ?? '');
      },
      nowMs: () => this.nowMs,
      sleep: (ms) => {
        this.nowMs += ms;
        this.at.get(this.nowMs)?.();
        return Promise.resolve();
      },
      say: () => undefined,
      show: () => undefined,
      signal: this.abort.signal,
    };
  }

  async #call(path: string, change?: AdminChange): Promise<AdminAnswer> {
    await Promise.resolve();
    if (!this.isReachable) throw new UnreachableError('the admin API at test: connection refused');
    if (change === undefined) return this.#read(path);
    const body = change.body as { url?: string; admin?: Admin } | undefined;
    if (body?.url !== undefined) {
      this.log.push(`add ${body.url} ${body.admin}`);
      this.put(new URL(body.url).host, { admin: body.admin! });
      return reply({});
    }
    const id = decodeURIComponent(path.split('/')[5]!);
    const endpoint = this.endpoints.get(id);
    if (endpoint === undefined) return reply({ detail: 'none' }, 404);
    if (change.method === 'DELETE') {
      this.log.push(`remove ${id}`);
      this.endpoints.delete(id);
      return reply({});
    }
    this.log.push(`${body!.admin} ${id}`);
    endpoint.admin = body!.admin!;
    return reply({});
  }

  #read(path: string): AdminAnswer {
    const [, , , kind, upstream, id] = path.split('/');
    if (upstream !== 'api') return reply({ detail: `there is no upstream ${upstream}` }, 404);
    if (kind === 'upstreams') {
      const endpoints = [...this.endpoints.keys()].map((name) => ({ name }));
      return reply({ protocol: 'http1', sources: this.sources, endpoints });
    }
    const endpoint = this.endpoints.get(decodeURIComponent(id!));
    return endpoint === undefined ? reply({ detail: 'none' }, 404) : reply(viewOf(endpoint));
  }
}

function reply(body: object, status = 200): AdminAnswer {
  return { status, body, tag: null };
}

function viewOf({ admin, check, source, inFlight, warming, nextCheck, availability }: FakeEndpoint) {
  const usable = check === 'down' ? 'down' : 'up';
  return {
    availability: admin === 'ready' ? (availability ?? usable) : admin,
    check,
    resolution: 'resolved',
    source,
    origin: source,
    inFlight,
    queued: 0,
    weight: 3,
    backup: false,
    zone: 'a',
    nextCheck,
    health: { checks: check === 'unknown' ? 0 : 5 },
    wishes: { operator: admin, agent: 'ready' },
    warming: warming ? { percent: 50, until: '' } : null,
    cause: `check is ${check}`,
  } as unknown as EndpointAloneReply;
}
