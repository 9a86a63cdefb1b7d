// TLS-ALPN-01 (RFC 8737): a CA that offers `acme-tls/1` gets the certificate that answers its challenge. Thread: worker.

import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { ALPN_CHALLENGE_PROTOCOL, readAlpnAnswer } from '../../../net/acme-challenges.ts';

export class AlpnChallenge {
  readonly #storage: string;
  /** Contexts of connections whose server name is looked at after their protocols. */
  readonly #contexts = new WeakMap<TLSSocket, SecureContext>();

  /** @param storage absolute path of the certificates' storage */
  constructor(storage: string) {
    this.#storage = storage;
  }

  /** Chooses the protocol (ALPNCallback); undefined, which fails the handshake, where none is served. */
  choose(stream: TLSSocket, name: string, offered: readonly string[], served: readonly string[]): string | undefined {
    if (offered.includes(ALPN_CHALLENGE_PROTOCOL)) return this.#answer(stream, name);
    return served.find((protocol) => offered.includes(protocol));
  }

  /**
   * The context of a connection that validates a challenge (SNICallback). In TLS 1.3 OpenSSL chooses the protocol first, and
   * the certificate then by its server name. In TLS 1.2 it is the other way round, and the certificate is replaced.
   */
  contextOf(stream: TLSSocket): SecureContext | undefined {
    return this.#contexts.get(stream);
  }

  #answer(stream: TLSSocket, name: string): string | undefined {
    const pem = readAlpnAnswer(this.#storage, name);
    if (pem === null) return undefined;
    try {
      const context = createSecureContext({ cert: pem, key: pem });
      this.#contexts.set(stream, context);
      stream.setKeyCert(context);
      return ALPN_CHALLENGE_PROTOCOL;
    } catch {
      return undefined;
    }
  }
}

/** Whether a connection validates a challenge: it carries no requests. */
export function isChallenge(protocol: string | false | null): boolean {
  return protocol === ALPN_CHALLENGE_PROTOCOL;
}
