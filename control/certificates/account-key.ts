// The key of an account at a certificate authority: signs requests (JWS, RFC 8555 section 6.2), and authorizes challenges
// by its thumbprint (RFC 7638). Thread: main.

import { createHash, createHmac, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';

/** A request body: a signed JSON object in the flattened form. */
export interface SignedBody {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

/** Public key in the order of fields that a thumbprint requires. */
interface PublicJwk {
  readonly crv: string;
  readonly kty: string;
  readonly x: string;
  readonly y: string;
}

/** Binds a new account to one that exists outside of ACME (RFC 8555 section 7.3.4). */
export interface ExternalAccount {
  readonly keyId: string;
  /** Base64url, as CAs show it. */
  readonly macKey: string;
}

export class AccountKey {
  readonly #key: KeyObject;
  readonly #jwk: PublicJwk;

  /** @param pem a P-256 key @throws where it is none */
  constructor(pem: string) {
    this.#key = createPrivateKey(pem);
    const { crv, kty, x, y } = createPublicKey(this.#key).export({ format: 'jwk' });
    if (crv !== 'P-256') throw new Error('the key of the account is not a P-256 key');
    this.#jwk = { crv, kty: kty!, x: x!, y: y! };
  }

  /** SHA-256 of the public key in base64url. */
  get thumbprint(): string {
    return createHash('sha256').update(JSON.stringify(this.#jwk)).digest('base64url');
  }

  /** Proof that the account accepts a challenge (RFC 8555 section 8.1). */
  authorization(token: string): string {
    return `${token}.${this.thumbprint}`;
  }

  /**
   * Signs a request.
   * @param account URL of the account; null for requests that identify it by its public key
   * @param payload null for POST-as-GET
   */
  sign(url: string, nonce: string, account: string | null, payload: object | null): SignedBody {
    const identity = account === null ? { jwk: this.#jwk } : { kid: account };
    const head = encoded({ alg: 'ES256', ...identity, nonce, url });
    const body = payload === null ? '' : encoded(payload);
    const signature = sign('sha256', Buffer.from(`${head}.${body}`), { key: this.#key, dsaEncoding: 'ieee-p1363' });
    return { protected: head, payload: body, signature: signature.toString('base64url') };
  }

  /** Statement of an external account about this key. @param url of the CA's resource for new accounts */
  bind({ keyId, macKey }: ExternalAccount, url: string): SignedBody {
    const head = encoded({ alg: 'HS256', kid: keyId, url });
    const body = encoded(this.#jwk);
    const signature = createHmac('sha256', Buffer.from(macKey, 'base64url'))
      .update(`${head}.${body}`)
      .digest('base64url');
    return { protected: head, payload: body, signature };
  }
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
