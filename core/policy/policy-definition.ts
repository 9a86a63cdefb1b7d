// Contract of a policy's definition: its name, options, place in the order, and how it is compiled on the main thread
// and created in workers. Thread: both.

import type { RequestHead } from '../head.ts';
import type { Logger } from '../log.ts';
import type { ClientCounts } from '../memory/client-counts.ts';
import type { ClientMemory } from '../memory/client-memory.ts';
import type { OptionSchemas, OptionShape, OptionsOf } from '../option-schema.ts';
import type { UpstreamSnapshot } from '../snapshot/upstream.ts';
import type { RequestTracer } from '../request-tracer.ts';
import type { Template, TemplateForm } from '../template.ts';
import type { TemplateFacts, TemplatePlace } from '../template-values.ts';
import type { Timers } from '../timers.ts';
import type { MirrorService } from './mirror-service.ts';
import type { Policy } from './policy.ts';
import type { PolicyNeed, PolicyStage } from './policy-stage.ts';

/** Where a policy is configured. */
export type PolicyScope = 'listener' | 'route' | 'upstream';

/** A problem that `compile` found in the options. */
export interface OptionProblem {
  /** One sentence: what is wrong and what is allowed. */
  readonly message: string;
  /** Steps from the options to the value: keys and indexes. The options as a whole if absent. */
  readonly path?: readonly (string | number)[];
  /** Whether the key or the value is underlined. */
  readonly part?: 'key' | 'value';
  /** Stable code of the kind of problem; FL3012 unless given. */
  readonly code?: ProblemOfOptions;
  /** Text in the value that is underlined; the whole value if absent. */
  readonly mark?: string;
  /** Replacement for the underlined text. */
  readonly suggestion?: string;
}

type ProblemOfOptions =
  | 'FL1201'
  | 'FL2006'
  | 'FL2008'
  | 'FL3001'
  | 'FL3003'
  | 'FL3007'
  | 'FL3008'
  | 'FL3009'
  | 'FL3012'
  | 'FL4001';

/** Use of a text with values in braces. */
export interface TemplateUse {
  readonly form: TemplateForm;
  readonly place: TemplatePlace;
  /** See OptionProblem. */
  readonly path: readonly (string | number)[];
  /** Name of the file that the text was read from; its lines are named in messages. */
  readonly file?: string;
}

/** Sampling of routes that have none of their own. */
export interface TracingDefaults {
  readonly samplingPercent: number;
  /** Clients whose `traceparent` decides: trusted ones, all, or none. */
  readonly parent: 'trusted' | 'follow' | 'ignore';
}

/** Argument of `compile` besides the options. */
export interface CompileContext {
  readonly scope: PolicyScope;
  /** Name of the listener, route or upstream. */
  readonly owner: string;
  /** Whether requests go to an upstream: false for a route that answers by itself. */
  readonly hasUpstream: boolean;
  /** Response fields that lines of the access log have, in lower case. */
  readonly loggedFields: readonly string[];
  /** The top-level `tracing`; null where nothing is traced. */
  readonly tracing: TracingDefaults | null;
  /** Directory of relative paths; absolute. */
  readonly directory: string;
  /** Reports a problem; the configuration is refused then. */
  readonly report: (problem: OptionProblem) => void;
  /** Parses a text with values in braces (docs/policies/values.md), and reports what is wrong in it. */
  readonly template: (text: string, use: TemplateUse) => Template;
  /** The value that `make` returned first for this key in this load: places with equal options share their data. */
  readonly shared: <Value>(key: string, make: () => Value) => Value;
  /** Text of a file, relative to the directory, which is watched from now on; null where it can't be read, which is reported. */
  readonly readFile: (name: string, path: OptionProblem['path']) => string | null;
}

/** Argument of `create` besides the compiled data. */
export interface CreateContext {
  readonly scope: PolicyScope;
  readonly owner: string;
  /** Index of this worker. */
  readonly worker: number;
  readonly log: Logger;
  /** The upstream that it is configured on; null for other scopes. */
  readonly upstream: UpstreamSnapshot | null;
  readonly services: PolicyServices;
  /** Counts a request that the policy would have refused, and lets pass because it only reports. */
  readonly reported: () => void;
  /** Counts a call of another service that the policy made. */
  readonly called: (ms: number, hasFailed: boolean) => void;
}

/** Verification of passwords beside the thread that serves requests. */
export interface PasswordService {
  /** Whether a further password would have to wait too long. */
  readonly isFull: boolean;
  /** Whether a password has a hash. @param stored in an accepted format (docs/policies/basic-auth.md) */
  verify(password: string, stored: string): Promise<boolean>;
}

/** Counts of gRPC calls by method. */
export interface GrpcCallCounter {
  /**
   * Counts a call that has ended.
   * @param path of the request @param status of gRPC @param isOwn whether Fairlead has answered, and no endpoint
   */
  ended(
    upstream: string,
    path: string,
    status: number,
    isOwn: boolean,
    messages: { readonly request: number; readonly response: number },
  ): void;
}

/** Services of a worker that policies may use. */
export interface PolicyServices {
  /** Whether a request of this priority must be refused to protect the process. */
  readonly mustShed: (priority: 'critical' | 'default' | 'sheddable') => boolean;
  /** Use of the fullest limit of the process (docs/algorithms.md 6.2); 1 is full. */
  readonly pressure: () => number;
  /** Rates of clients, shared by all workers. */
  readonly clients: ClientMemory;
  /** Open requests of clients, shared by all workers. */
  readonly counts: ClientCounts;
  readonly passwords: PasswordService;
  readonly grpcCalls: GrpcCallCounter;
  readonly tracer: RequestTracer;
  /** Called per request: the worker makes it after its policies. */
  readonly mirrors: () => MirrorService;
  /** Timers as coarse as the worker's wheel, and their monotonic ms, which all workers share. */
  readonly timers: Timers;
  readonly nowMs: () => number;
}

/** A request that `fairlead explain` plays. */
export interface ExplainedExchange extends TemplateFacts {
  readonly request: RequestHead;
}

/** Common to the policies of Fairlead and of plugins. */
export interface PolicyBase<Data> {
  /** In YAML, metrics, logs and `explain`. Lower-case kebab. */
  readonly name: string;
  readonly scope: PolicyScope;
  readonly stage: PolicyStage;
  readonly needs: readonly PolicyNeed[];
  /** Longest that one call of a hook should take, in ms; calls beyond it are counted and logged. */
  readonly budgetMs: number;
  /** Longest that a promise of `onRequest` may take, in ms; the exchange is answered 500 then. */
  readonly waitMs: number;
  /** Builds the policy for one Runtime of one worker. */
  create(data: Data, context: CreateContext): Policy;
}

/**
 * A policy of Fairlead's own. Its options are keys of their own in the mapping of the listener, route or upstream.
 */
export interface BuiltInPolicy<Scope extends PolicyScope, Shape extends OptionShape, Data> extends PolicyBase<Data> {
  readonly scope: Scope;
  readonly options: (schemas: OptionSchemas) => Shape;
  /** @returns plain, cloneable data for the Snapshot; null where the policy has nothing to do */
  compile(options: OptionsOf<Shape>, context: CompileContext): Data | null;
  /** Describes the effect on a request as a verb phrase: "refuses 10.0.0.1". Main thread; counts nothing. */
  explain(data: Data, exchange: ExplainedExchange): string;
}

/** A policy of a plugin, as its author writes it: its options stand under its name in a list `policies`. */
export interface PolicyDefinition<Shape extends OptionShape, Data> {
  readonly name: string;
  /** Place of use: `route` unless given. */
  readonly scope?: PolicyScope;
  /** When it runs: `shape` unless given. */
  readonly stage?: PolicyStage;
  readonly needs?: readonly PolicyNeed[];
  /** 10 unless given. */
  readonly budgetMs?: number;
  /** 5000 unless given. */
  readonly waitMs?: number;
  /** Declares the options. `true` in YAML stands for none. */
  readonly options: (schemas: OptionSchemas) => Shape;
  /** Main thread. @returns plain, cloneable data for workers; null where the policy has nothing to do */
  compile(options: OptionsOf<Shape>, context: CompileContext): Data | null;
  /** Worker: once for each place of use in each Runtime. */
  create(data: Data, context: CreateContext): Policy;
}

/** A plugin's policy with its defaults filled in and its types erased. */
export interface PluginPolicy extends PolicyBase<unknown> {
  readonly options: (schemas: OptionSchemas) => OptionShape;
  compile(options: unknown, context: CompileContext): unknown;
}

/** Checks a definition's types and erases them. */
export function definePolicy<Shape extends OptionShape, Data>(
  definition: PolicyDefinition<Shape, Data>,
): PolicyDefinition<OptionShape, unknown> {
  return definition as unknown as PolicyDefinition<OptionShape, unknown>;
}
