// An exchange as its policies see and edit it. One per exchange object, used again with it. Thread: both.

import type { ClientConnection } from '../../core/exchange-contract.ts';
import type { FieldList, RequestHead, ResponseHead } from '../../core/head.ts';
import type { BodySink, BodyTransform, PolicyExchange, TransformOptions } from '../../core/policy/policy.ts';
import type { PolicyNeed } from '../../core/policy/policy-stage.ts';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import { isTarget } from '../http1/field-line.ts';
import { BodyTransforms } from './body-transforms.ts';
import { EditedResponseHead } from './edited-response-head.ts';
import { FieldEditor } from './field-editor.ts';
import { composePlan, type PlanEntry, type PolicyPlan } from './policy-plan.ts';

/** The exchange behind a view. */
export interface ViewedExchange {
  readonly connection: ClientConnection;
  readonly head: RequestHead;
  readonly requestId: string;
  readonly clientAddress: string;
  readonly routeName: string;
  readonly upstreamName: string;
  readonly endpoint: EndpointSnapshot | null;
  readonly attempts: number;
  /** Null unless the client requests an upgrade. */
  readonly upgrade: object | null;
  wallMs(): number;
  /** @returns false where there is no upstream of the name */
  chooseUpstream(name: string): boolean;
  /** Trailers of a response whose body policies read, once it has ended. */
  readonly responseTrailers: FieldList | null;
  /** Sends a first attempt to an endpoint, if that can serve. */
  preferSlot(slot: number): void;
}

export const NO_POLICIES: PolicyPlan = composePlan([]);

export class PolicyView implements PolicyExchange {
  plan: PolicyPlan = NO_POLICIES;
  response: ResponseHead | null = null;
  /** Path and query to send in place of the client's; null to send those. */
  target: string | null = null;
  /** Transforms of the response body; null where there are none. */
  transforms: BodyTransforms | null = null;
  /** Edits that all attempts share, and those of the present attempt. */
  readonly requestEdits = new FieldEditor('request', NO_POLICIES.requestFields.removed);
  readonly attemptEdits = new FieldEditor('request', NO_POLICIES.requestFields.removed);
  readonly responseEdits = new FieldEditor('response', NO_POLICIES.responseFields.removed);
  /** The policy whose hook runs; null between hooks. */
  entry: PlanEntry | null = null;
  /** Number of the wait for a promise: an answer to an earlier one comes too late. */
  waitNumber = 0;
  isWaiting = false;
  /** Monotonic ms. */
  waitingSinceMs = 0;
  readonly exchange: ViewedExchange;
  #memos: unknown[] | null = null;
  #editsAttempt = false;

  constructor(exchange: ViewedExchange) {
    this.exchange = exchange;
  }

  /** Begins an exchange. */
  begin(plan: PolicyPlan): void {
    this.plan = plan;
    this.response = null;
    this.transforms = null;
    this.target = null;
    this.entry = null;
    this.isWaiting = false;
    this.waitingSinceMs = 0;
    this.#memos = null;
    this.#editsAttempt = false;
    this.requestEdits.begin(plan.requestFields.inserted, plan.requestFields.removed);
    this.responseEdits.begin(plan.responseFields.inserted, plan.responseFields.removed);
  }

  /** Goes on with the plan of another upstream: edits and memos stay. */
  continueWith(plan: PolicyPlan): void {
    const before = this.plan;
    const memos = this.#memos;
    this.plan = plan;
    this.requestEdits.moveTo(before.requestFields, plan.requestFields);
    this.responseEdits.begin(plan.responseFields.inserted, plan.responseFields.removed);
    if (memos === null) return;
    this.#memos = plan.entries.map(({ policy }) => memos[before.entries.findIndex((old) => old.policy === policy)]);
  }

  /** From now on edits of the request are those of one attempt. */
  beginAttempt(): void {
    this.#editsAttempt = true;
    this.attemptEdits.begin(this.requestEdits.inserted, this.requestEdits.removed);
  }

  /** A final response arrived. */
  beginResponse(head: ResponseHead): void {
    this.response = head;
    const { inserted, removed } = this.plan.responseFields;
    this.responseEdits.begin(inserted, removed);
  }

  /** The edits that the next attempt sends. */
  get sentEdits(): FieldEditor {
    return this.#editsAttempt ? this.attemptEdits : this.requestEdits;
  }

  get connection(): ClientConnection {
    return this.exchange.connection;
  }
  get request(): RequestHead {
    return this.exchange.head;
  }
  get requestId(): string {
    return this.exchange.requestId;
  }
  get clientAddress(): string {
    return this.exchange.clientAddress;
  }
  get routeName(): string {
    return this.exchange.routeName;
  }
  get upstreamName(): string {
    return this.exchange.upstreamName;
  }
  get endpoint(): EndpointSnapshot | null {
    return this.exchange.endpoint;
  }
  get attempts(): number {
    return this.exchange.attempts;
  }
  get wallMs(): number {
    return this.exchange.wallMs();
  }

  get memo(): unknown {
    // None between hooks, where a late answer may look for it.
    return this.entry === null ? undefined : this.#memos?.[this.entry.memo];
  }
  set memo(value: unknown) {
    (this.#memos ??= [])[this.entry!.memo] = value;
  }

  requestField(name: string): string | undefined {
    return this.sentEdits.valueOf(name, this.request);
  }
  setRequestField(name: string, value: string): void {
    this.sentEdits.set(name, value);
  }
  addRequestField(name: string, value: string): void {
    this.sentEdits.add(name, value, this.request);
  }
  removeRequestField(name: string): void {
    this.sentEdits.remove(name);
  }

  setTarget(target: string): void {
    this.#mustDeclare('change-target');
    if (!target.startsWith('/') || !isTarget(target)) throw new TypeError(`not a target: ${JSON.stringify(target)}`);
    this.target = target;
  }

  chooseUpstream(name: string): void {
    this.#mustDeclare('choose-upstream');
    if (!this.exchange.chooseUpstream(name)) throw new RangeError(`there is no upstream ${JSON.stringify(name)}`);
  }

  responseField(name: string): string | undefined {
    return this.responseEdits.valueOf(name, this.response ?? NO_HEAD);
  }
  setResponseField(name: string, value: string): void {
    this.responseEdits.set(name, value);
  }
  addResponseField(name: string, value: string): void {
    this.responseEdits.add(name, value, this.response ?? NO_HEAD);
  }
  removeResponseField(name: string): void {
    this.responseEdits.remove(name);
  }

  transformBody(open: (sink: BodySink) => BodyTransform, { keepsBody = false }: TransformOptions = {}): boolean {
    this.#mustDeclare('transform-response-body');
    if (this.response === null) throw new Error('there is no response of an endpoint to transform');
    const { status } = this.response;
    if (status === 204 || status === 304 || this.exchange.upgrade !== null) return false;
    (this.transforms ??= new BodyTransforms()).add(this.entry!, open, !keepsBody);
    // Policies that meet the response later must not rely on the length of the endpoint's body.
    this.response = new EditedResponseHead(this.response, NO_NAMES, true);
    return true;
  }

  // ---- for built-in policies alone

  /** Fields that replace the client's: see forwarding-fields.ts. */
  get insertedFields(): FieldList {
    return this.requestEdits.inserted;
  }
  set insertedFields(fields: FieldList) {
    this.requestEdits.inserted = fields;
  }

  get responseTrailers(): FieldList | null {
    return this.exchange.responseTrailers;
  }

  /** The memo of a policy by its name. */
  memoOf(policy: string): unknown {
    const entry = this.#memos === null ? undefined : this.plan.entries.find(({ name }) => name === policy);
    return entry === undefined ? undefined : this.#memos![entry.memo];
  }

  /** Replaces the endpoint's lines of a field, and keeps those that policies have added. */
  replaceResponseLines(name: string, values: readonly string[]): void {
    this.responseEdits.replaceLines(name, values);
  }

  preferSlot(slot: number): void {
    this.exchange.preferSlot(slot);
  }

  #mustDeclare(need: PolicyNeed): void {
    if (!this.entry!.needs.includes(need)) {
      throw new Error(`policy ${this.entry!.name} does not declare the need ${need}`);
    }
  }
}

const NO_NAMES: ReadonlySet<string> = new Set();
const NO_HEAD = { field: () => undefined };
