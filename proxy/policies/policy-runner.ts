// Runs the hooks of a plan. Isolates their errors: whatever a policy throws is counted, logged, and answered 500 for its
// exchange alone. Without promises and allocations where the hooks are synchronous. Thread: both.

import type { ExchangeRecord } from '../../core/exchange-record.ts';
import type { BodyDirection, PendingReply, Policy, PolicyAnswer, PolicyReply } from '../../core/policy/policy.ts';
import type { BodyReceiver } from './body-transforms.ts';
import type { PlanEntry, PlanPhase } from './policy-plan.ts';
import type { PolicyView } from './policy-view.ts';
import type { HookName, PolicyWatch } from './policy-watch.ts';
import { isFieldName, isFieldValue } from '../http1/field-line.ts';
import { reasonAgainstEdit } from './editable-fields.ts';

/** The exchange waits for a promise: `onSettled` gets its outcome. */
export const WAITING = Symbol('waiting');
/** A hook failed. */
export const FAILED = Symbol('failed');

export type PolicyFailure = typeof FAILED;
export type RequestOutcome = PolicyAnswer | typeof WAITING | PolicyFailure;

export interface PolicyRunnerParts {
  readonly watch: PolicyWatch;
  /** Monotonic ms, finer than a turn of the event loop. */
  readonly preciseMs: () => number;
  /** A promise that an exchange waited for has led to an outcome; never called after `cancel` or `expire`. */
  readonly onSettled: (view: PolicyView, outcome: PolicyAnswer | PolicyFailure) => void;
}

export class PolicyRunner {
  readonly #parts: PolicyRunnerParts;

  constructor(parts: PolicyRunnerParts) {
    this.#parts = parts;
  }

  /** A request has been routed. */
  request(view: PolicyView): RequestOutcome {
    return view.plan.request === null ? undefined : this.#requestFrom(view, 0);
  }

  /** Time that the present wait may take, in ms. */
  waitMsOf(view: PolicyView): number {
    return view.entry?.waitMs ?? 0;
  }

  /** The present wait has taken too long. */
  expire(view: PolicyView): PolicyFailure {
    const entry = view.entry!;
    this.#endWait(view);
    this.#parts.watch.overran({ ...entry, budgetMs: entry.waitMs }, 'onRequest', this.#sinceWait(view));
    return FAILED;
  }

  /** The exchange has ended: the promise that it waits for no longer matters. */
  cancel(view: PolicyView): void {
    if (view.isWaiting) this.#endWait(view);
  }

  /** An endpoint was chosen. */
  placed(view: PolicyView): PolicyFailure | undefined {
    const phase = view.plan.placed;
    if (phase === null) return undefined;
    view.beginAttempt();
    for (const entry of phase) {
      const outcome = this.#call(view, entry, 'onPlaced');
      if (outcome === FAILED) return FAILED;
    }
    return undefined;
  }

  /** A final response arrived; its head is in the view. */
  response(view: PolicyView): PolicyAnswer | PolicyFailure {
    for (const entry of view.plan.response ?? NONE) {
      const answer = this.#call(view, entry, 'onResponse') as PolicyAnswer | PolicyFailure;
      if (answer === undefined) continue;
      return answer === FAILED ? FAILED : this.#answered(entry, 'onResponse', answer);
    }
    return undefined;
  }

  /** A reply of Fairlead's own is about to be sent. A hook that fails leaves it as it is. */
  localReply(view: PolicyView, reply: PendingReply): PendingReply {
    let pending = reply;
    for (const entry of view.plan.localReply ?? NONE) {
      const replaced = this.#call(view, entry, 'onLocalReply', pending) as PolicyReply | PolicyFailure | undefined;
      if (replaced === undefined || replaced === FAILED) continue;
      const isSound = this.#isSound(entry, 'onLocalReply', replaced);
      if (isSound) pending = { ...pending, ...pendingOf(replaced) };
    }
    return pending;
  }

  /** @returns the bytes to pass on */
  bodyChunk(
    view: PolicyView,
    chunk: Uint8Array,
    direction: BodyDirection,
    isLast: boolean,
  ): Uint8Array | PolicyFailure {
    let bytes = chunk;
    for (const entry of (direction === 'request' ? view.plan.requestBody : view.plan.responseBody) ?? NONE) {
      if (entry.policy.onBodyChunk === undefined) continue;
      const changed = this.#call(view, entry, 'onBodyChunk', bytes, direction, isLast) as
        | Uint8Array
        | PolicyFailure
        | undefined;
      if (changed === FAILED) return FAILED;
      if (changed === undefined || direction === 'request' || !entry.needs.includes('change-response-body')) continue;
      if (!(changed instanceof Uint8Array)) {
        return this.#fail(entry, 'onBodyChunk', new TypeError('it returned something else than bytes'));
      }
      bytes = changed;
    }
    return bytes;
  }

  /** Opens the transforms of the response. Returns false where one failed. */
  openTransforms(view: PolicyView, receiver: BodyReceiver): boolean {
    return view.transforms!.open(receiver, this.#parts.watch);
  }

  /** The exchange has ended. */
  end(view: PolicyView, record: ExchangeRecord): void {
    for (const entry of view.plan.end ?? NONE) this.#callOnEnd(view, entry, record);
  }

  #requestFrom(view: PolicyView, from: number): RequestOutcome {
    const { watch } = this.#parts;
    let { plan } = view;
    for (let at = from; at < (plan.request?.length ?? 0); at++) {
      const entry = plan.request![at]!;
      const answer = this.#callOnRequest(view, entry);
      if (answer === FAILED) return FAILED;
      if (answer !== undefined) {
        if (isPromise(answer)) return this.#wait(view, entry, answer);
        return this.#answered(entry, 'onRequest', answer);
      }
      if (entry.mayReply) watch.allowed(entry);
      if (view.plan === plan) continue;
      // The policy chose another upstream, with another plan: go on behind the policy there.
      plan = view.plan;
      at = nextAfter(plan.request, entry) - 1;
    }
    return undefined;
  }

  #wait(view: PolicyView, entry: PlanEntry, promise: Promise<PolicyAnswer>): RequestOutcome {
    if (!entry.mayWait) {
      // Handled, so that a later rejection does not end the thread.
      Promise.resolve(promise).then(undefined, () => undefined);
      return this.#fail(entry, 'onRequest', new Error('it returned a promise without declaring the need wait'));
    }
    const number = ++view.waitNumber;
    view.isWaiting = true;
    view.waitingSinceMs = this.#parts.preciseMs();
    Promise.resolve(promise).then(
      (answer) => this.#settle(view, entry, number, answer),
      (error: unknown) => {
        if (this.#isCurrent(view, number)) this.#resume(view, this.#fail(entry, 'onRequest', error));
      },
    );
    return WAITING;
  }

  #settle(view: PolicyView, entry: PlanEntry, number: number, answer: PolicyAnswer): void {
    if (!this.#isCurrent(view, number)) return;
    if (answer !== undefined) return this.#resume(view, this.#answered(entry, 'onRequest', answer));
    if (entry.mayReply) this.#parts.watch.allowed(entry);
    view.isWaiting = false;
    const outcome = this.#requestFrom(view, nextAfter(view.plan.request, entry));
    if (outcome !== WAITING) this.#resume(view, outcome);
  }

  /** Counts an answer. One that makes no response, or is not declared, is an error. */
  #answered(entry: PlanEntry, hook: HookName, answer: NonNullable<PolicyAnswer>): PolicyAnswer | PolicyFailure {
    if (!entry.mayReply) return this.#fail(entry, hook, new Error('it answered without declaring the need reply'));
    if (!this.#isSound(entry, hook, answer)) return FAILED;
    this.#parts.watch.refused(entry);
    return answer;
  }

  #isSound(entry: PlanEntry, hook: HookName, answer: NonNullable<PolicyAnswer>): boolean {
    try {
      checkAnswer(answer);
      return true;
    } catch (error) {
      this.#fail(entry, hook, error);
      return false;
    }
  }

  #isCurrent(view: PolicyView, number: number): boolean {
    return view.isWaiting && view.waitNumber === number;
  }

  #resume(view: PolicyView, outcome: PolicyAnswer | PolicyFailure): void {
    this.#endWait(view);
    this.#parts.onSettled(view, outcome);
  }

  #endWait(view: PolicyView): void {
    view.isWaiting = false;
    view.waitNumber++;
  }

  #sinceWait(view: PolicyView): number {
    return this.#parts.preciseMs() - view.waitingSinceMs;
  }

  /** `#call` for the hook that runs for each request. */
  #callOnRequest(view: PolicyView, entry: PlanEntry): PolicyAnswer | Promise<PolicyAnswer> | PolicyFailure {
    view.entry = entry;
    const startMs = entry.isTimed ? this.#parts.preciseMs() : 0;
    try {
      const answer = entry.policy.onRequest!(view) as PolicyAnswer | Promise<PolicyAnswer>;
      if (entry.isTimed) this.#parts.watch.took(entry, 'onRequest', this.#parts.preciseMs() - startMs);
      return answer;
    } catch (error) {
      return this.#fail(entry, 'onRequest', error);
    }
  }

  /** `#call` for the hook that ends each request. */
  #callOnEnd(view: PolicyView, entry: PlanEntry, record: ExchangeRecord): void {
    if (entry.isTimed) {
      this.#call(view, entry, 'onEnd', record);
      return;
    }
    view.entry = entry;
    try {
      entry.policy.onEnd!(view, record);
    } catch (error) {
      this.#fail(entry, 'onEnd', error);
    }
  }

  /** Runs one hook, timed where the policy is a plugin's. */
  #call(
    view: PolicyView,
    entry: PlanEntry,
    hook: HookName,
    first?: unknown,
    second?: unknown,
    third?: unknown,
  ): unknown {
    view.entry = entry;
    const startMs = entry.isTimed ? this.#parts.preciseMs() : 0;
    try {
      const result = invoke(entry.policy, hook, view, first, second, third);
      mustBeSynchronous(result, hook);
      if (entry.isTimed) this.#parts.watch.took(entry, hook, this.#parts.preciseMs() - startMs);
      return result;
    } catch (error) {
      return this.#fail(entry, hook, error);
    }
  }

  #fail(entry: PlanEntry, hook: HookName, error: unknown): PolicyFailure {
    this.#parts.watch.failed(entry, hook, error);
    return FAILED;
  }
}

const NONE: readonly PlanEntry[] = [];

/** Without a closure per call: hooks run on the request path. */
function invoke(
  policy: Policy,
  hook: HookName,
  view: PolicyView,
  first: unknown,
  second: unknown,
  third: unknown,
): unknown {
  switch (hook) {
    case 'onPlaced':
      return policy.onPlaced!(view);
    case 'onResponse':
      return policy.onResponse!(view);
    case 'onLocalReply':
      return policy.onLocalReply!(view, first as PendingReply);
    case 'onBodyChunk':
      return policy.onBodyChunk!(view, first as Uint8Array, second as BodyDirection, third as boolean);
    case 'onEnd':
      return policy.onEnd!(view, first as ExchangeRecord);
    default:
      return undefined;
  }
}

/** The place to go on after a policy, in a plan that may be another one by now. */
function nextAfter(phase: PlanPhase, entry: PlanEntry): number {
  const at = phase?.findIndex(({ policy }) => policy === entry.policy) ?? -1;
  return at + 1;
}

function pendingOf({ status, fields = [], body = '' }: PolicyReply): Omit<PendingReply, 'cause'> {
  return { status, fields, body: typeof body === 'string' ? Buffer.from(body) : body };
}

/** Looks for `then` without reading it: a getter of a plugin could throw. */
function isPromise(answer: unknown): answer is Promise<PolicyAnswer> {
  return typeof answer === 'object' && answer !== null && 'then' in answer;
}

function mustBeSynchronous(result: unknown, hook: HookName): void {
  if (!isPromise(result)) return;
  // Handled, so that a later rejection does not end the thread.
  Promise.resolve(result).then(undefined, () => undefined);
  throw new TypeError(`${hook} returned a promise, and only onRequest may`);
}

/** @throws TypeError for an answer that is no reply, with the reason */
function checkAnswer(answer: NonNullable<PolicyAnswer>): void {
  if (typeof answer !== 'object' || answer === null) throw new TypeError(`it returned ${String(answer)}, not a reply`);
  if (!('cause' in answer)) checkReply(answer);
}

function checkReply({ status, fields = [], body = '' }: PolicyReply): void {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new TypeError(`its reply has the status ${String(status)}: a whole number from 200 to 599 is needed`);
  }
  if (!Array.isArray(fields) || fields.length % 2 !== 0) {
    throw new TypeError('the fields of its reply are not a list of names and values in turn');
  }
  for (let at = 0; at < fields.length; at += 2) checkField(fields[at] as unknown, fields[at + 1] as unknown);
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
    throw new TypeError('the body of its reply is neither a text nor bytes');
  }
}

/** CR or LF in a value would split the response (response splitting). */
function checkField(name: unknown, value: unknown): void {
  if (typeof name !== 'string' || !isFieldName(name)) throw new TypeError(`not a field name: ${JSON.stringify(name)}`);
  if (typeof value !== 'string' || !isFieldValue(value)) throw new TypeError(`not a value for the field ${name}`);
  const reason = reasonAgainstEdit(name.toLowerCase(), 'response');
  if (reason !== null) throw new TypeError(`its reply may not have the field ${name}: ${reason}`);
}
