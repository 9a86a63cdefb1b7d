// The package's entry `fairlead/testing`: runs one policy against exchanges that a test plays, without sockets, worker
// threads and configuration files. Thread: main.

import '../core/supported-node.ts';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { compileTemplate } from '../config/policies/compile-template.ts';
import type { KeyPath } from '../config/problems/problem.ts';
import { findingsOf } from '../config/schema/schema-findings.ts';
import { optionSchemas } from '../config/schema/schema-values.ts';
import type { Logger } from '../core/log.ts';
import { POLICY_FIELDS, type PolicyField } from '../core/memory/lane-fields.ts';
import { ClientMemory } from '../core/memory/client-memory.ts';
import type { OptionShape } from '../core/option-schema.ts';
import type { MirrorService } from '../core/policy/mirror-service.ts';
import type { PolicyAnswer } from '../core/policy/policy.ts';
import type { OptionProblem, PluginPolicy, PolicyDefinition } from '../core/policy/policy-definition.ts';
import type { UpstreamSnapshot } from '../core/snapshot/upstream.ts';
import { systemTimers } from '../core/timers.ts';
import { policyOf } from '../plugins/plugin-parts.ts';
import { matchesPassword } from '../proxy/policies/passwords/password-hash.ts';
import { composePlan, type LivePolicy } from '../proxy/policies/policy-plan.ts';
import { type PolicyFailure, PolicyRunner } from '../proxy/policies/policy-runner.ts';
import type { PolicyView } from '../proxy/policies/policy-view.ts';
import { PolicyWatch } from '../proxy/policies/policy-watch.ts';
import { PlayedExchange, type PlayedRequest } from './played-exchange.ts';

/** The place where the policy stands. */
export interface TestPlace {
  /** Name of the route, listener or upstream. */
  readonly owner?: string;
  /** Names of upstreams that the policy may choose. */
  readonly upstreams?: readonly string[];
  /** Texts of the files that the options name; absent, they are read from the working directory. */
  readonly files?: Readonly<Record<string, string>>;
  /** The upstream that it is configured on; for policies of that scope which read it. */
  readonly upstream?: UpstreamSnapshot;
}

/** A line that the policy, or Fairlead about the policy, logged. */
export interface TestLogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
  readonly fields: object;
}

/** The options don't fit the policy; a configuration with them would be refused with the same problems. */
export class PolicyOptionsError extends Error {
  readonly problems: readonly OptionProblem[];

  constructor(problems: readonly OptionProblem[]) {
    super(problems.map(({ path = [], message }) => `${path.join('.') || 'options'}: ${message}`).join('; '));
    this.name = 'PolicyOptionsError';
    this.problems = problems;
  }
}

/**
 * Compiles the options and creates the policy, as a configuration with it would.
 * @param options as in YAML; `true` for none
 * @throws PolicyOptionsError, and PluginShapeError for a definition that is none
 */
export function testPolicy(
  definition: PolicyDefinition<OptionShape, unknown>,
  options: unknown = true,
  place: TestPlace = {},
): PolicyBench {
  const policy = policyOf(definition);
  return new PolicyBench(policy, compiled(policy, options, place), place);
}

function compiled(policy: PluginPolicy, options: unknown, { owner = 'test', files }: TestPlace): unknown {
  const given = options === true ? {} : options;
  const schema = z.strictObject(policy.options(optionSchemas));
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    const values = { valueAt: (path: KeyPath) => valueIn(given, path), writtenAt: () => '' };
    const findings = findingsOf(parsed.error.issues, schema, values);
    throw new PolicyOptionsError(findings.map(({ message, path }) => ({ message, path })));
  }
  const problems: OptionProblem[] = [];
  const report = (problem: OptionProblem) => void problems.push(problem);
  const directory = process.cwd();
  const data = policy.compile(parsed.data, {
    scope: policy.scope,
    owner,
    hasUpstream: true,
    loggedFields: [],
    tracing: null,
    directory,
    report,
    template: (text, use) => compileTemplate(text, use, process.env, report),
    shared: (_, make) => make(),
    readFile: (name, at = []) => {
      if (files === undefined) return readFileSync(path.resolve(directory, name), 'utf8');
      if (files[name] === undefined) report({ message: `the file ${name} does not exist`, path: at });
      return files[name] ?? null;
    },
  });
  if (problems.length > 0) throw new PolicyOptionsError(problems);
  return structuredClone(data);
}

function valueIn(options: unknown, path: KeyPath): unknown {
  let value = options;
  for (const step of path) value = (value as Record<string | number, unknown> | null | undefined)?.[step];
  return value;
}

/** Policies of plugins mirror nothing. */
const NO_MIRRORS: MirrorService = {
  hasRoom: () => false,
  reserve: () => false,
  release: () => undefined,
  send: (_, copy) => copy.released(),
  dropped: () => undefined,
};

/** One policy in one place. */
export class PolicyBench {
  /** Lines that were logged. */
  readonly log: TestLogLine[] = [];
  /** Calls that the metrics would count. */
  readonly counts: Readonly<Record<PolicyField, number>>;
  /** Milliseconds since 1970, as policies see them: set it to move the clock. */
  wallMs = Date.UTC(2030, 0, 1);
  /** Monotonic milliseconds: set it to move the clock of rates; null follows the system's. */
  nowMs: number | null = null;
  readonly #runner: PolicyRunner;
  readonly #live: LivePolicy;
  readonly #place: TestPlace;
  readonly #settled = new Map<PolicyView, (outcome: PolicyAnswer | PolicyFailure) => void>();

  constructor(policy: PluginPolicy, data: unknown, place: TestPlace) {
    this.#place = place;
    const counts = Object.fromEntries(POLICY_FIELDS.map((field) => [field, 0])) as Record<PolicyField, number>;
    this.counts = counts;
    const log = this.#logger();
    const preciseMs = () => performance.now();
    const count = (_lane: number, field: number, amount: number): void => {
      counts[POLICY_FIELDS[field]!] += amount;
    };
    this.#runner = new PolicyRunner({
      watch: new PolicyWatch({ log, nowMs: preciseMs, count }),
      preciseMs,
      onSettled: (view, outcome) => this.#settled.get(view)?.(outcome),
    });
    const { owner = 'test', upstream = null } = place;
    const { name, scope, stage, needs, budgetMs, waitMs } = policy;
    const clients = ClientMemory.allocate(1, [1, 2]);
    const nowMs = () => this.nowMs ?? performance.now();
    const verify = (password: string, stored: string) => Promise.resolve(matchesPassword(password, stored));
    const passwords = { isFull: false, verify };
    const memory = { clients, counts: clients.countsOf(0) };
    const grpcCalls = { ended: () => undefined };
    const services = {
      mustShed: () => false,
      pressure: () => 0,
      timers: systemTimers,
      nowMs,
      passwords,
      grpcCalls,
      tracer: { begin: () => '', ended: () => undefined },
      mirrors: () => NO_MIRRORS,
      ...memory,
    };
    const reported = () => void counts.reported++;
    const called = (ms: number, hasFailed: boolean): void => {
      counts.calls += 1;
      counts.callMs += ms;
      counts.callFailures += Number(hasFailed);
    };
    const live = policy.create(data, { scope, owner, worker: 0, log, upstream, services, reported, called });
    this.#live = { name, scope, stage, needs, budgetMs, waitMs, lane: 0, isTimed: true, policy: live };
  }

  /** Plays a request up to the answer of the policy: a reply, or the request as the endpoint would get it. */
  async request(request: PlayedRequest = {}): Promise<PlayedExchange> {
    const exchange = new PlayedExchange(request, {
      plan: composePlan([this.#live]),
      runner: this.#runner,
      wallMs: () => this.wallMs,
      upstreams: this.#place.upstreams ?? ['app'],
      wait: (view) => this.#wait(view),
    });
    await exchange.begin();
    return exchange;
  }

  /** Ends the policy, as a reload does once no exchange uses it. */
  dispose(): void {
    this.#live.policy.dispose?.();
  }

  #wait(view: PolicyView): Promise<PolicyAnswer | PolicyFailure> {
    return new Promise((resolve) => {
      const deadline = setTimeout(() => resolve(this.#runner.expire(view)), this.#runner.waitMsOf(view));
      this.#settled.set(view, (outcome) => {
        clearTimeout(deadline);
        this.#settled.delete(view);
        resolve(outcome);
      });
    });
  }

  #logger(): Logger {
    const take =
      (level: TestLogLine['level']) =>
      (fields: object, text: string): void =>
        void this.log.push({ level, fields, text });
    const lines = { debug: take('debug'), info: take('info'), warn: take('warn'), error: take('error') };
    return { ...lines, isDebugEnabled: true };
  }
}

export type { PlayedExchange, PlayedRequest };
