// Sticky cookies: signed, opaque, without server state (docs/algorithms.md 5.1). A value is `v1.KEY.FIRST-AGAIN.MAC`. KEY
// is a keyed hash of the endpoint's id, so that it reveals no address and survives reordering. FIRST and AGAIN are seconds
// since 1970 in base 36: the start of the session, and the time when the cookie was last issued. Thread: both.

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { StickySnapshot } from '../../core/snapshot/upstream.ts';

/** Endpoint that a valid cookie names. */
export interface StickyChoice {
  readonly slot: number;
  /** Whether the response should renew the cookie: half its idle time has passed, or an old secret signed it. */
  readonly mustRenew: boolean;
  /** Start of the session in ms since 1970; `setCookieFor` takes it when the cookie is renewed. */
  readonly sinceMs: number;
}

/** Content of a cookie whose signature is valid. */
interface Verified {
  readonly slot: number;
  readonly isOldSecret: boolean;
  readonly sinceMs: number;
  readonly issuedMs: number;
}

/** Endpoint of a KEY, and the secret that made it. */
interface Owner {
  readonly slot: number;
  readonly secret: string;
  readonly isOldSecret: boolean;
}

const KEY_BYTES = 8;
const MAC_BYTES = 12;
/** In base64url, which is not padded. */
const MAC_CHARACTERS = 16;

const FORM = /^v1\.([\w-]{11})\.([\da-z]{1,9})-([\da-z]{1,9})\.[\w-]{16}$/;
const MAX_VALUE_CHARACTERS = 64;

/**
 * Cookies of the configured name that are tried per request: other hosts of the domain can set further ones (cookie
 * tossing), and each with a known KEY costs an HMAC.
 */
const MAX_CANDIDATES = 4;

/** Verified values kept: an HMAC costs 1.7 us, a lookup 0.1 us (docs/algorithms.md 5.1). */
const MAX_VERIFIED = 4096;

/** Clock difference allowed between proxies that share secrets. */
const MAX_AHEAD_MS = 300_000;

/** The sticky cookies of one upstream in one Runtime. */
export class StickyCookies {
  readonly #settings: StickySnapshot;
  readonly #scope: string;
  readonly #prefix: string;
  readonly #attributes: string;
  readonly #owners = new Map<string, Owner>();
  /** KEYs by the first secret, which signs. */
  readonly #keys = new Map<number, string>();
  readonly #verified = new Map<string, Verified>();
  /** Newest cookie of each slot: clients without one get the same within a second. */
  readonly #newest = new Map<number, { readonly second: number; readonly value: string }>();

  /** @param upstream name that each cookie is bound to: another upstream of the same secret rejects it */
  constructor(settings: StickySnapshot, endpoints: readonly EndpointSnapshot[], upstream: string) {
    this.#settings = settings;
    this.#scope = `${upstream}\n`;
    this.#prefix = `${settings.cookie}=`;
    this.#attributes = `; Path=/${settings.isHttpOnly ? '; HttpOnly' : ''}; SameSite=${settings.sameSite}`;
    this.replaceEndpoints(endpoints);
  }

  /** Takes other endpoints over. Cookies that name one that stays remain valid. */
  replaceEndpoints(endpoints: readonly EndpointSnapshot[]): void {
    for (const known of [this.#owners, this.#keys, this.#verified, this.#newest]) known.clear();
    for (const [index, secret] of this.#settings.secrets.entries()) {
      for (const { id, slot } of endpoints) {
        const key = keyOf(id, secret);
        this.#owners.set(key, { slot, secret, isOldSecret: index > 0 });
        if (index === 0) this.#keys.set(slot, key);
      }
    }
  }

  /** Whether a cookie can name the endpoint of a slot: it may have been removed. */
  has(slot: number): boolean {
    return this.#keys.has(slot);
  }

  /**
   * Returns the endpoint that the cookies of a request name; null without a valid cookie that has not expired and names a
   * configured endpoint. Never throws, and takes time in proportion to the length of the header. The caller decides
   * whether the endpoint may be used.
   * @param cookieHeader value of the Cookie field, lines joined by '; ' (RFC 6265 section 5.4)
   * @param nowWallMs ms since 1970
   */
  slotOf(cookieHeader: string | undefined, nowWallMs: number): StickyChoice | null {
    if (cookieHeader === undefined) return null;
    let candidates = 0;
    for (let at = 0; at < cookieHeader.length && candidates < MAX_CANDIDATES; ) {
      const next = cookieHeader.indexOf(';', at);
      const end = next < 0 ? cookieHeader.length : next;
      const value = this.#valueIn(cookieHeader, at, end);
      at = end + 1;
      if (value === '') continue;
      candidates++;
      const verified = this.#verified.get(value) ?? this.#verify(value);
      const choice = verified === null ? null : this.#choiceOf(verified, nowWallMs);
      if (choice !== null) return choice;
    }
    return null;
  }

  /**
   * Returns the cookies of a request without those of the configured name, in their order; null without any of that name.
   * Endpoints never receive them, those that other hosts of the domain set included.
   */
  without(cookieHeader: string): string | null {
    if (this.#settings.isPassedOn || !cookieHeader.includes(this.#prefix)) return null;
    const cookies = cookieHeader.split(';').map((cookie) => cookie.trim());
    const others = cookies.filter((cookie) => !cookie.startsWith(this.#prefix));
    return others.length === cookies.length ? null : others.filter((cookie) => cookie !== '').join('; ');
  }

  /**
   * Returns the value of a Set-Cookie field that names an endpoint. The response needs `Cache-Control: private`, or a
   * shared cache passes the session to others (RFC 9111 section 7.3).
   * @param slot of a configured endpoint
   * @param isTls whether the client connected over TLS, for `secure: auto`
   * @param nowWallMs ms since 1970
   * @param sinceMs start of a session that continues; a new session begins without it
   */
  setCookieFor(slot: number, isTls: boolean, nowWallMs: number, sinceMs = nowWallMs): string {
    const { secure } = this.#settings;
    const isSecure = secure === 'always' || (secure === 'auto' && isTls);
    return `${this.#prefix}${this.#valueFor(slot, sinceMs, nowWallMs)}${this.#attributes}${isSecure ? '; Secure' : ''}`;
  }

  /** Value of the cookie in one part of the header; '' for other names and for values that are too long. */
  #valueIn(header: string, begin: number, end: number): string {
    let at = begin;
    while (at < end && (header[at] === ' ' || header[at] === '\t')) at++;
    if (!header.startsWith(this.#prefix, at)) return '';
    at += this.#prefix.length;
    return end - at > MAX_VALUE_CHARACTERS ? '' : header.slice(at, end).trimEnd();
  }

  /** Verifies form and signature. Invented values fail at the unknown KEY, before any hashing. */
  #verify(value: string): Verified | null {
    const [, key = '', first = '', again = ''] = FORM.exec(value) ?? [];
    const owner = this.#owners.get(key);
    if (owner === undefined) return null;
    const signed = value.slice(0, -MAC_CHARACTERS - 1);
    if (!areSame(value.slice(-MAC_CHARACTERS), this.#macOf(signed, owner.secret))) return null;
    const { slot, isOldSecret } = owner;
    const verified = { slot, isOldSecret, sinceMs: msOf(first), issuedMs: msOf(again) };
    this.#remember(value, verified);
    return verified;
  }

  #choiceOf({ slot, isOldSecret, sinceMs, issuedMs }: Verified, nowWallMs: number): StickyChoice | null {
    const { maxIdleMs, maxLifeMs } = this.#settings;
    const idleMs = nowWallMs - issuedMs;
    if (idleMs < -MAX_AHEAD_MS || isOver(idleMs, maxIdleMs) || isOver(nowWallMs - sinceMs, maxLifeMs)) return null;
    return { slot, mustRenew: isOldSecret || isOver(idleMs, maxIdleMs / 2), sinceMs };
  }

  #valueFor(slot: number, sinceMs: number, nowWallMs: number): string {
    const first = secondOf(Math.min(sinceMs, nowWallMs));
    const again = secondOf(nowWallMs);
    const newest = this.#newest.get(slot);
    if (first === again && newest?.second === first) return newest.value;
    const value = this.#sign(slot, first, again);
    if (first === again) this.#newest.set(slot, { second: first, value });
    return value;
  }

  #sign(slot: number, first: number, again: number): string {
    const key = this.#keys.get(slot);
    if (key === undefined) throw new Error(`slot ${slot} is not an endpoint of this upstream`);
    const signed = `v1.${key}.${first.toString(36)}-${again.toString(36)}`;
    return `${signed}.${this.#macOf(signed, this.#settings.secrets[0]!)}`;
  }

  /** The names of upstream and cookie are signed too: a cookie is valid for no other upstream and under no other name. */
  #macOf(signed: string, secret: string): string {
    const mac = createHmac('sha256', secret).update(this.#scope).update(this.#prefix).update(signed).digest();
    return mac.toString('base64url', 0, MAC_BYTES);
  }

  /** Keeps verified values only, so that forged cookies can't evict them. */
  #remember(value: string, verified: Verified): void {
    if (this.#verified.size >= MAX_VERIFIED) this.#verified.delete(this.#verified.keys().next().value!);
    this.#verified.set(ownCopy(value), verified);
  }
}

function keyOf(id: string, secret: string): string {
  return createHmac('sha256', secret).update(id).digest().toString('base64url', 0, KEY_BYTES);
}

/** Compares in constant time: ending at the first difference would reveal a signature byte by byte. */
function areSame(mac: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(mac, 'latin1'), Buffer.from(expected, 'latin1'));
}

/** Copies a value: a slice of a header keeps the whole header in memory. */
function ownCopy(value: string): string {
  return Buffer.from(value, 'latin1').toString('latin1');
}

/** Whether a time exceeds its limit; 0 is no limit. */
function isOver(ms: number, limitMs: number): boolean {
  return limitMs > 0 && ms > limitMs;
}

function secondOf(ms: number): number {
  return Math.floor(ms / 1000);
}

function msOf(base36: string): number {
  return Number.parseInt(base36, 36) * 1000;
}
