// Connections whose sessions are routed by the server name or ALPN of a TLS handshake that an endpoint answers: their ClientHello is
// read first, and passed on with everything behind it. Thread: worker.

import type { Socket } from 'node:net';
import { ClientHelloParser } from '../accept/client-hello.ts';
import type { ConnectionFacts } from '../accept/connection-facts.ts';
import { FirstBytes, type FirstBytesReader } from '../accept/first-bytes.ts';
import { refuseHandshake } from '../accept/handshake-refusal.ts';
import type { DownstreamContext, DrainableConnection } from '../downstream-context.ts';
import type { TlsFailure } from '../../../core/tls-failure.ts';

/** Continues the connection. */
type OnHello = (hasHello: boolean) => void;

export class HelloGate {
  readonly #context: DownstreamContext;
  readonly #limitMs: number;

  /** @param limitMs from accept to the end of the ClientHello, or to the first byte of another protocol */
  constructor(context: DownstreamContext, limitMs: number) {
    this.#context = context;
    this.#limitMs = limitMs;
  }

  /** Reads until the first bytes are a whole ClientHello, which the facts have then, or no TLS. */
  read(raw: Socket, facts: ConnectionFacts, onHello: OnHello): DrainableConnection {
    return new FirstBytes(this.#context, raw, this.#readerFor(raw, facts, onHello));
  }

  #readerFor(raw: Socket, facts: ConnectionFacts, onHello: OnHello): FirstBytesReader {
    const parser = new ClientHelloParser();
    let parsedBytes = 0;
    return {
      limitMs: this.#limitMs,
      examine: (held) => {
        const outcome = parser.push(held.bytes.subarray(held.start + parsedBytes, held.end));
        parsedBytes = held.length;
        if (outcome === 'incomplete') return null;
        if (outcome === 'malformed') return () => this.#refuse(raw, facts);
        if (outcome === 'not-tls') return () => onHello(false);
        facts.requested(outcome);
        return () => onHello(true);
      },
      onExpired: (cause, held) => {
        // A health check that only connects is no failure.
        if (cause === 'timeout') this.#count(facts, 'timeout');
        else if (held.length > 0) this.#count(facts, 'closed');
      },
    };
  }

  /** A hello that no endpoint could read either: it must not pass as one without a name. */
  #refuse(raw: Socket, facts: ConnectionFacts): void {
    this.#count(facts, 'other');
    refuseHandshake(raw, 'decode_error');
  }

  #count({ listenerIndex, listenerName: listener, peerAddress: peer }: ConnectionFacts, cause: TlsFailure): void {
    this.#context.ledger.tlsFailed(listenerIndex, cause);
    this.#context.log.debug({ listener, peer, cause }, `TLS handshake failed: ${cause}`);
  }
}
