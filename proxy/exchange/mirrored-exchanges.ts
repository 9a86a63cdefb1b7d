// Mirrored requests of a worker: exchanges without a client. They are placed and sent as others are, so that the upstream's
// health, limits and connections hold for them, and are counted apart: no observer gets their records. Thread: worker.

import type { MirrorCopy, MirrorDrop, MirrorService } from '../../core/policy/mirror-service.ts';
import { type FieldList, UNKNOWN_LENGTH } from '../../core/head.ts';
import { UPSTREAM_FIELD } from '../../core/memory/lane-fields.ts';
import type { RouteSnapshot } from '../../core/snapshot/route.ts';
import { preparePlacement } from './admission.ts';
import { Exchange, type ExchangeHooks } from './exchange.ts';
import { logEnd } from './exchange-log.ts';
import { STATE } from './exchange-state.ts';
import * as failover from './failover.ts';
import * as path from './forward.ts';
import type { ForwardingContext } from './forwarding-context.ts';
import { MirrorClient } from './mirror-client.ts';
import { MirroredRequestHead } from './mirrored-request-head.ts';
import { applyRequestPolicies } from './policy-phases.ts';

const FIELD_OF_DROP: Readonly<Record<MirrorDrop, number>> = {
  busy: UPSTREAM_FIELD.mirrorsDroppedBusy,
  'body-too-large': UPSTREAM_FIELD.mirrorsDroppedBody,
  'no-memory': UPSTREAM_FIELD.mirrorsDroppedMemory,
  overload: UPSTREAM_FIELD.mirrorsDroppedOverload,
  unfinished: UPSTREAM_FIELD.mirrorsDroppedUnfinished,
};

/** The plan of a mirrored request has the policies of its upstream alone. */
const NO_LISTENER = -1;

/** A copy and what it keeps of the exchange that it was made of. */
interface PreparedCopy {
  readonly client: MirrorClient;
  readonly head: MirroredRequestHead;
  readonly requestId: string;
  readonly clientAddress: string;
  readonly route: RouteSnapshot;
}

export class MirroredExchanges implements MirrorService, ExchangeHooks {
  readonly #context: ForwardingContext;
  /** In flight, by the name of the upstream: reloads don't change it. */
  readonly #inFlight = new Map<string, number>();

  constructor(context: ForwardingContext) {
    this.#context = context;
  }

  // ---- MirrorService

  hasRoom(upstream: string, most: number): boolean {
    return (this.#inFlight.get(upstream) ?? 0) < most;
  }

  reserve(sizeBytes: number): boolean {
    const { replays } = this.#context;
    if (!replays.hasRoomFor(sizeBytes)) return false;
    replays.add(sizeBytes);
    return true;
  }

  release(sizeBytes: number): void {
    this.#context.replays.add(-sizeBytes);
  }

  send(exchange: object, copy: MirrorCopy): void {
    const { connection, head, body, policies, requestId, clientAddress, route } = exchange as Exchange;
    const { requestEdits, target } = policies;
    // A message with a length has no trailers (RFC 9112 section 7.1.2).
    const bodyLength = body.trailers === null ? copy.sizeBytes : UNKNOWN_LENGTH;
    const prepared = {
      client: new MirrorClient(connection, copy, body.trailers),
      head: new MirroredRequestHead(head, requestEdits, target, bodyLength),
      requestId,
      clientAddress,
      route: mirrorRoute(route!),
    };
    this.#addInFlight(copy.upstream, 1);
    this.#count(copy.upstream, UPSTREAM_FIELD.mirrorsSent);
    // The client's own request leaves first.
    this.#context.afterThisTurn(() => this.#begin(prepared));
  }

  dropped(upstream: string, cause: MirrorDrop): void {
    this.#count(upstream, FIELD_OF_DROP[cause]);
  }

  // ---- ExchangeHooks

  clientData(exchange: Exchange, chunk: Uint8Array): void {
    path.passBody(this.#context, exchange, chunk);
  }

  clientEnd(exchange: Exchange, trailers: FieldList | null): void {
    path.endBody(this.#context, exchange, trailers);
  }

  clientFlushed(exchange: Exchange): void {
    exchange.enter(STATE.done);
  }

  /** It takes every byte and never leaves. */
  clientDrain(): void {}

  clientGone(): void {}

  wallMs(): number {
    return this.#context.clock.wallMs();
  }

  chooseUpstream(): boolean {
    return false;
  }

  deadline(exchange: Exchange): void {
    failover.timerFired(this.#context, exchange);
  }

  done(exchange: Exchange): void {
    const { policies, timing, timer, client, termination } = exchange;
    const { copy } = client as MirrorClient;
    this.#context.wheel.cancel(timer);
    timing.ended(this.#context.clock.nowMs());
    logEnd(this.#context, exchange);
    this.#context.policies.cancel(policies);
    if (policies.plan.end !== null) this.#context.policies.end(policies, exchange);
    if (termination !== 'ok') this.#count(copy.upstream, UPSTREAM_FIELD.mirrorsFailed);
    this.#release(copy);
  }

  #begin({ client, head, requestId, clientAddress, route }: PreparedCopy): void {
    const context = this.#context;
    const runtime = context.runtime();
    const target = runtime.mirrorTarget(client.copy.upstream);
    // A reload has removed it since.
    if (target === undefined) return this.#release(client.copy);
    const nowMs = context.clock.nowMs();
    const exchange = new Exchange(this);
    client.attach(exchange);
    exchange.begin({ client, head, upgrade: null }, runtime, nowMs, nowMs, context.clock.wallMs());
    context.open().add(exchange);
    exchange.identify(requestId, clientAddress);
    exchange.routeTo(route, target);
    exchange.policies.begin(runtime.policies.planOf(NO_LISTENER, null, target.snapshot.index));
    if (!applyRequestPolicies(context, exchange)) return;
    preparePlacement(context, exchange);
    const { timing } = exchange;
    timing.endBefore(Math.min(timing.deadlineMs || Infinity, nowMs + client.copy.timeoutMs));
    context.placer.place(exchange);
  }

  #release(copy: MirrorCopy): void {
    this.#addInFlight(copy.upstream, -1);
    copy.released();
  }

  #addInFlight(upstream: string, amount: number): void {
    const count = (this.#inFlight.get(upstream) ?? 0) + amount;
    if (count === 0) this.#inFlight.delete(upstream);
    else this.#inFlight.set(upstream, count);
  }

  #count(upstream: string, field: number): void {
    const target = this.#context.runtime().mirrorTarget(upstream);
    if (target !== undefined) this.#context.lanes.upstream(target.snapshot.index).add(field, 1);
  }
}

/** The route of a mirrored request: its Host is chosen as that of the client's request, and nothing else acts on it. */
function mirrorRoute({ name, match, action, hostField }: RouteSnapshot): RouteSnapshot {
  return {
    name,
    match,
    action,
    hostField,
    policies: [],
    overrides: null,
    upload: null,
    // The body has its own limit, and was within that of the client's request.
    bodyBytes: Number.MAX_SAFE_INTEGER,
    priority: 'sheddable',
  };
}
