// Connections that begin with a PROXY protocol header: from which peers it is accepted, its time limit, and refusals, which
// are counted and logged. Thread: worker.

import type { Socket } from 'node:net';
import { compileCidrs } from '../../../core/cidr.ts';
import type { ProxyProtocolSnapshot } from '../../../core/snapshot/listener.ts';
import { decodeProxyHeader } from '../../../net/proxy-protocol/decode.ts';
import type { ProxyHeader } from '../../../net/proxy-protocol/header.ts';
import type { HeldBytes } from '../../wire/held-bytes.ts';
import type { DownstreamContext, DrainableConnection } from '../downstream-context.ts';
import type { ConnectionFacts } from './connection-facts.ts';
import { FirstBytes, type FirstBytesReader } from './first-bytes.ts';

/** A client can cause as many refusals as it can connect: one line in this time, with the number of the others. */
const LOG_INTERVAL_MS = 10_000;

/** Receives the header of a connection. */
export type OnProxyHeader = (header: ProxyHeader) => void;

export class ProxyHeaderGate {
  readonly #context: DownstreamContext;
  readonly #settings: ProxyProtocolSnapshot;
  readonly #isTrusted: (address: string) => boolean;
  #loggedMs = Number.NEGATIVE_INFINITY;
  #folded = 0;

  constructor(context: DownstreamContext, settings: ProxyProtocolSnapshot) {
    this.#context = context;
    this.#settings = settings;
    this.#isTrusted = compileCidrs(settings.trusted);
  }

  /**
   * Whether the connection of a peer begins with a header; `refused` closes it. Peers on a Unix socket have no address, and
   * are trusted: the permissions of its directory decide who connects.
   */
  expects({ peerAddress }: ConnectionFacts): 'header' | 'none' | 'refused' {
    if (peerAddress === '' || this.#isTrusted(peerAddress)) return 'header';
    return this.#settings.others === 'direct' ? 'none' : 'refused';
  }

  /** Counts and logs the connection of a peer that may not send a header. */
  refusePeer(raw: Socket, facts: ConnectionFacts): void {
    this.#context.ledger.proxyPeerRefused(facts.listenerIndex);
    this.#log(facts, 'its address is not trusted to send PROXY protocol headers');
    raw.destroy();
  }

  /** Reads the header; the bytes behind it stay for whoever serves the connection. */
  read(raw: Socket, facts: ConnectionFacts, onHeader: OnProxyHeader): DrainableConnection {
    return new FirstBytes(this.#context, raw, this.#readerFor(raw, facts, onHeader));
  }

  #readerFor(raw: Socket, facts: ConnectionFacts, onHeader: OnProxyHeader): FirstBytesReader {
    return {
      limitMs: this.#settings.timeoutMs,
      examine: (held) => {
        const decoded = decodeProxyHeader(held.bytes, held.start, held.end);
        if (decoded.kind === 'incomplete') return null;
        if (decoded.kind === 'refused') return () => this.#refuse(raw, facts, decoded.cause);
        held.consumeTo(held.start + decoded.sizeBytes);
        return () => onHeader(decoded.header);
      },
      onExpired: (cause, held) => {
        if (cause === 'timeout') this.#count(facts, `no PROXY protocol header within ${this.#settings.timeoutMs} ms`);
        else if (isBegun(held)) this.#count(facts, 'the PROXY protocol header is incomplete');
      },
    };
  }

  #refuse(raw: Socket, facts: ConnectionFacts, cause: string): void {
    this.#count(facts, cause);
    raw.destroy();
  }

  #count(facts: ConnectionFacts, cause: string): void {
    this.#context.ledger.proxyHeaderRefused(facts.listenerIndex);
    this.#log(facts, cause);
  }

  #log({ listenerName: listener, peerAddress: peer }: ConnectionFacts, cause: string): void {
    const nowMs = this.#context.clock.nowMs();
    if (nowMs - this.#loggedMs < LOG_INTERVAL_MS) {
      this.#folded += 1;
      return;
    }
    const more = this.#folded === 0 ? '' : ` (${this.#folded} more since the last line)`;
    this.#loggedMs = nowMs;
    this.#folded = 0;
    const from = peer === '' ? 'a Unix socket' : peer;
    this.#context.log.warn(
      { listener, peer, cause },
      `listener ${listener} closed a connection from ${from}: ${cause}${more}`,
    );
  }
}

/** A balancer whose health check only connects sends nothing, and is no failure. */
function isBegun(held: HeldBytes): boolean {
  return held.length > 0;
}
