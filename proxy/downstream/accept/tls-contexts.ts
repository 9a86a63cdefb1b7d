// Certificates of a listener, and which of them a client gets by the name that it asks for. Thread: worker.

import { createSecureContext, type SecureContext } from 'node:tls';
import type { TlsSnapshot } from '../../../core/snapshot/listener.ts';

export class TlsContexts {
  readonly #byName = new Map<string, SecureContext>();
  readonly #first: SecureContext;

  /** @throws Error when a certificate and its key don't fit, or are no PEM: the configuration has checked it before. */
  constructor(tls: TlsSnapshot) {
    const contexts = tls.certificates.map(({ cert, key }) => {
      return createSecureContext({ cert, key, minVersion: tls.minVersion, honorCipherOrder: true });
    });
    this.#first = contexts[0]!;
    for (const [index, { names }] of tls.certificates.entries()) {
      for (const name of names) {
        const key = name.toLowerCase();
        if (!this.#byName.has(key)) this.#byName.set(key, contexts[index]!);
      }
    }
  }

  /**
   * The certificate for a name of SNI: the first that has it, else one for '*.' in place of its first label (RFC 9525
   * section 6.3: a wildcard stands for one label), else the listener's first. Clients without SNI get that, too.
   */
  find(serverName: string): SecureContext {
    const name = serverName.toLowerCase().replace(/\.$/, '');
    const dot = name.indexOf('.');
    const wildcard = dot > 0 ? this.#byName.get(`*${name.slice(dot)}`) : undefined;
    return this.#byName.get(name) ?? wildcard ?? this.#first;
  }
}
