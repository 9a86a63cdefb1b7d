// The transforms that one response body passes, in the order in which their policies meet responses, and the receiver behind
// the last one. Isolates their errors as policy-runner.ts does those of hooks. Thread: both.

import type { BodySink, BodyTransform } from '../../core/policy/policy.ts';
import type { PlanEntry } from './policy-plan.ts';
import type { PolicyWatch } from './policy-watch.ts';

/** Receives a transformed body. */
export interface BodyReceiver {
  /** Returns false where it takes no more for now: `resume` follows. */
  data(chunk: Uint8Array): boolean;
  /** The first transform takes input again. */
  ready(): void;
  /** The body is complete. */
  end(): void;
  /** A transform failed: the body can't be completed. */
  fail(): void;
  /** A policy refuses the rest of the body. */
  cut(): void;
}

type Open = (sink: BodySink) => BodyTransform;

export class BodyTransforms {
  readonly #registered: { readonly entry: PlanEntry; readonly open: Open }[] = [];
  #stages: readonly Stage[] = [];
  #receiver: BodyReceiver | null = null;
  #watch: PolicyWatch | null = null;

  /** Whether the body that they pass on is another one. */
  changesBody = false;

  /** Registers a transform. */
  add(entry: PlanEntry, open: Open, changesBody: boolean): void {
    this.changesBody ||= changesBody;
    this.#registered.push({ entry, open });
  }

  /** Opens all of them. Returns false where one failed; the others are cancelled then. */
  open(receiver: BodyReceiver, watch: PolicyWatch): boolean {
    this.#receiver = receiver;
    this.#watch = watch;
    const stages = this.#registered.map(({ entry }, at) => new Stage(this, entry, at));
    this.#stages = stages;
    for (const [at, { entry, open }] of this.#registered.entries()) {
      try {
        stages[at]!.transform = open(stages[at]!);
      } catch (error) {
        this.cancel();
        watch.failed(entry, 'transformBody', error);
        return false;
      }
    }
    return true;
  }

  /** Whether the body passes them: they are open, and neither complete nor cancelled. */
  get isActive(): boolean {
    return this.#receiver !== null;
  }

  /** Takes bytes of the endpoint. Returns false where it takes no more until `BodyReceiver.ready`. */
  write(chunk: Uint8Array): boolean {
    return this.#writeTo(0, chunk);
  }

  /** The endpoint's body is complete. */
  end(): void {
    this.#endOf(0);
  }

  /** The receiver takes bytes again. */
  resume(): void {
    if (this.#receiver !== null) this.#run(this.#stages.length - 1, (transform) => transform.resume());
  }

  /** Ends them without a result. No call of the receiver follows. */
  cancel(): void {
    this.#receiver = null;
    for (const { transform, entry } of this.#stages) {
      try {
        transform?.cancel();
      } catch (error) {
        this.#watch!.failed(entry, 'transformBody', error);
      }
    }
    this.#close();
  }

  #close(): void {
    for (const { entry, bytesIn, bytesOut } of this.#stages) this.#watch!.transformed(entry, bytesIn, bytesOut);
    this.#stages = [];
  }

  // ---- events of the stages

  outputOf(at: number, chunk: Uint8Array): boolean {
    this.#stages[at]!.bytesOut += chunk.byteLength;
    const isLast = at === this.#stages.length - 1;
    return isLast ? (this.#receiver?.data(chunk) ?? true) : this.#writeTo(at + 1, chunk);
  }

  readyOf(at: number): void {
    if (this.#receiver === null) return;
    if (at === 0) this.#receiver.ready();
    else this.#run(at - 1, (transform) => transform.resume());
  }

  endOutputOf(at: number): void {
    if (at < this.#stages.length - 1) {
      this.#endOf(at + 1);
      return;
    }
    const receiver = this.#receiver;
    this.#receiver = null;
    this.#close();
    receiver?.end();
  }

  failureOf(at: number, error: unknown): void {
    const receiver = this.#receiver;
    if (receiver === null) return;
    const { entry } = this.#stages[at]!;
    this.cancel();
    this.#watch!.failed(entry, 'transformBody', error);
    receiver.fail();
  }

  cutOf(at: number, reason: string): void {
    const receiver = this.#receiver;
    if (receiver === null) return;
    const { entry } = this.#stages[at]!;
    this.cancel();
    this.#watch!.cut(entry, reason);
    receiver.cut();
  }

  #writeTo(at: number, chunk: Uint8Array): boolean {
    if (this.#receiver === null) return true;
    this.#stages[at]!.bytesIn += chunk.byteLength;
    return this.#run(at, (transform) => transform.write(chunk)) !== false;
  }

  #endOf(at: number): void {
    if (this.#receiver !== null) this.#run(at, (transform) => transform.end());
  }

  #run<Result>(at: number, call: (transform: BodyTransform) => Result): Result | undefined {
    try {
      return call(this.#stages[at]!.transform!);
    } catch (error) {
      this.failureOf(at, error);
      return undefined;
    }
  }
}

/** The sink of one transform. */
class Stage implements BodySink {
  readonly entry: PlanEntry;
  transform: BodyTransform | null = null;
  bytesIn = 0;
  bytesOut = 0;
  readonly #owner: BodyTransforms;
  readonly #at: number;
  #isOver = false;

  constructor(owner: BodyTransforms, entry: PlanEntry, at: number) {
    this.#owner = owner;
    this.entry = entry;
    this.#at = at;
  }

  data(chunk: Uint8Array): boolean {
    return this.#isOver || !this.#owner.isActive || this.#owner.outputOf(this.#at, chunk);
  }

  ready(): void {
    if (!this.#isOver) this.#owner.readyOf(this.#at);
  }

  end(): void {
    if (this.#isOver || !this.#owner.isActive) return;
    this.#isOver = true;
    this.#owner.endOutputOf(this.#at);
  }

  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.failureOf(this.#at, error);
  }

  cut(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.cutOf(this.#at, reason);
  }
}
