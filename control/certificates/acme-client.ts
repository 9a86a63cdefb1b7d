// Client of one account at a certificate authority (ACME, RFC 8555): directory, nonces, signed requests. Thread: main.

import type { AccountKey, ExternalAccount } from './account-key.ts';
import { AcmeError, errorOfProblem, type AcmeProblem } from './acme-error.ts';
import { type AcmeReply, type AcmeTransport, hostOf } from './acme-transport.ts';

/** Attempts of one request whose nonces the CA refuses (RFC 8555 section 6.5): it has dropped nonces, or has many hosts. */
const MOST_NONCES = 12;
/** Nonces that are kept for later requests. */
const MOST_KEPT = 8;

/** Resources of a CA. */
export interface AcmeDirectory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  readonly revokeCert: string;
  /** '' where the CA gives no renewal information. */
  readonly renewalInfo: string;
  readonly needsExternalAccount: boolean;
}

export interface AccountRequest {
  /** '' for none. */
  readonly email: string;
  readonly external: ExternalAccount | null;
}

/** A resource of the CA, with its URL where it was created. */
export interface Resource {
  readonly url: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly retryAfterMs: number;
}

export class AcmeClient {
  readonly key: AccountKey;
  readonly #transport: AcmeTransport;
  readonly #directoryUrl: string;
  #directory: AcmeDirectory | null = null;
  #account: string | null;
  readonly #nonces: string[] = [];

  /** @param account URL of the account; null until `register` */
  constructor(transport: AcmeTransport, directoryUrl: string, key: AccountKey, account: string | null) {
    this.#transport = transport;
    this.#directoryUrl = directoryUrl;
    this.key = key;
    this.#account = account;
  }

  /** The CA's resources, read once. @throws AcmeError */
  async directory(): Promise<AcmeDirectory> {
    if (this.#directory !== null) return this.#directory;
    const reply = await this.#transport.send('GET', this.#directoryUrl);
    const { newNonce, newAccount, newOrder, revokeCert, renewalInfo, meta } = this.#object(reply, 'the directory');
    const facts = (typeof meta === 'object' && meta !== null ? meta : {}) as Record<string, unknown>;
    this.#directory = {
      newNonce: this.#url(newNonce, 'newNonce'),
      newAccount: this.#url(newAccount, 'newAccount'),
      newOrder: this.#url(newOrder, 'newOrder'),
      revokeCert: typeof revokeCert === 'string' ? revokeCert : '',
      renewalInfo: typeof renewalInfo === 'string' ? renewalInfo : '',
      needsExternalAccount: facts['externalAccountRequired'] === true,
    };
    return this.#directory;
  }

  /** Creates the account of the key, or finds the one that it has. @returns its URL @throws AcmeError */
  async register({ email, external }: AccountRequest): Promise<string> {
    const { newAccount, needsExternalAccount } = await this.directory();
    if (needsExternalAccount && external === null) {
      const reason =
        'requires an external account: set externalAccount, with the key ID and key from the account at the CA';
      throw new AcmeError(`CA ${this.#host} ${reason}`, { type: 'externalAccountRequired' });
    }
    const reply = await this.#signed(newAccount, null, {
      termsOfServiceAgreed: true,
      ...(email !== '' && { contact: [`mailto:${email}`] }),
      ...(external !== null && { externalAccountBinding: this.key.bind(external, newAccount) }),
    });
    this.#object(reply, 'the account');
    this.#account = this.#url(reply.location, 'account URL');
    return this.#account;
  }

  /** Reads a resource (POST-as-GET). @throws AcmeError */
  read(url: string, noun: string): Promise<Resource> {
    return this.#exchange(url, null, noun);
  }

  /** Sends an object to a resource. @throws AcmeError */
  post(url: string, payload: object, noun: string): Promise<Resource> {
    return this.#exchange(url, payload, noun);
  }

  /** Downloads a certificate chain in PEM. @throws AcmeError */
  async download(url: string): Promise<string> {
    const reply = await this.#signed(url, this.#account, null);
    if (reply.status !== 200) throw this.#refusal(reply, 'the certificate');
    return reply.text;
  }

  /** Reads a resource that needs no account. @throws AcmeError */
  async get(url: string, noun: string): Promise<Resource> {
    const reply = await this.#transport.send('GET', url);
    return { url, value: this.#object(reply, noun), retryAfterMs: reply.retryAfterMs };
  }

  get #host(): string {
    return hostOf(this.#directoryUrl);
  }

  async #exchange(url: string, payload: object | null, noun: string): Promise<Resource> {
    const reply = await this.#signed(url, this.#account, payload);
    const { location, retryAfterMs } = reply;
    return { url: location === '' ? url : location, value: this.#object(reply, noun), retryAfterMs };
  }

  async #signed(url: string, account: string | null, payload: object | null): Promise<AcmeReply> {
    for (let attempt = 1; ; attempt++) {
      const nonce = this.#nonces.pop() ?? (await this.#newNonce());
      const body = JSON.stringify(this.key.sign(url, nonce, account, payload));
      const reply = await this.#transport.send('POST', url, body);
      this.#keepNonce(reply.nonce);
      if (attempt >= MOST_NONCES || reply.status !== 400 || problemOf(reply).type !== BAD_NONCE) return reply;
    }
  }

  async #newNonce(): Promise<string> {
    const { newNonce } = await this.directory();
    const { nonce, status } = await this.#transport.send('HEAD', newNonce);
    if (nonce === '') throw new AcmeError(`CA ${this.#host} gave no nonce (status ${status})`, { status });
    return nonce;
  }

  #keepNonce(nonce: string): void {
    if (nonce !== '' && this.#nonces.length < MOST_KEPT) this.#nonces.push(nonce);
  }

  /** The JSON object of a successful answer. @throws AcmeError */
  #object(reply: AcmeReply, noun: string): Readonly<Record<string, unknown>> {
    if (reply.status < 200 || reply.status > 299) throw this.#refusal(reply, noun);
    const value = jsonOf(reply.text);
    if (value !== null) return value;
    throw new AcmeError(`CA ${this.#host} answers without a JSON object for ${noun}`, { status: reply.status });
  }

  #refusal(reply: AcmeReply, noun: string): AcmeError {
    return errorOfProblem(`CA ${this.#host} refuses ${noun}`, reply.status, problemOf(reply), reply.retryAfterMs);
  }

  #url(value: unknown, noun: string): string {
    if (typeof value === 'string' && URL.canParse(value)) return value;
    throw new AcmeError(`CA ${this.#host} gave no ${noun}: is ${this.#directoryUrl} an ACME directory?`);
  }
}

const BAD_NONCE = 'urn:ietf:params:acme:error:badNonce';

function problemOf({ text }: AcmeReply): AcmeProblem {
  return jsonOf(text) ?? {};
}

function jsonOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
