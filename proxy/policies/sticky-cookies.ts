// The cookie that keeps a client at its endpoint: signed, opaque, without a state of its own (docs/algorithms.md 5.1).
// The value is `v1.KEY.FIRST-AGAIN.MAC`: who (KEY: a keyed hash of the endpoint's id, so that it tells no address and
// outlives any order of the list), since when and until when (seconds since 1970 in base 36: when the session began,
// when the cookie was last issued), and proof that it is ours. Thread: both.

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { EndpointSnapshot } from '../../core/snapshot/endpoint.ts';
import type { StickySnapshot } from '../../core/snapshot/upstream.ts';

/** Where a client's cookie leads. */
export interface StickyChoice {
  readonly slot: number;
  /** Whether the response should carry the cookie anew: half its idle time is over, or an old secret signed it. */
  readonly mustRenew: boolean;
  /** When the session began, in ms since 1970; given back to `setCookieFor` when the cookie is renewed. */
  readonly sinceMs: number;
}

/** What a cookie says, once its signature was found to be right. */
interface Verified {
  readonly slot: number;
  readonly isOldSecret: boolean;
  readonly sinceMs: number;
  readonly issuedMs: number;
}

/** Who is meant by a KEY, and which secret made it. */
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
 * Cookies of our name that one request may try: a neighbour in the domain can set some of that name beside ours
 * (cookie tossing), and each with a known KEY costs an HMAC.
 */
const MAX_CANDIDATES = 4;

/** An HMAC costs 1.7 us, a look into a Map 0.1 us (docs/algorithms.md 5.1). */
const MAX_VERIFIED = 4096;

/** Proxies with the same secrets needn't have the same time to the second. */
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
  /** The newest fresh cookie of each slot: clients without one that come in the same second get the same. */
  readonly #newest = new Map<number, { readonly second: number; readonly value: string }>();

  /** @param upstream name that each cookie is bound to: another upstream of the same secret rejects it */
  constructor(settings: StickySnapshot, endpoints: readonly EndpointSnapshot[], upstream: string) {
    this.#settings = settings;
    this.#scope = `${upstream}\n`;
    this.#prefix = `${settings.cookie}=`;
    this.#attributes = `; Path=/${settings.isHttpOnly ? '; HttpOnly' : ''}; SameSite=${settings.sameSite}`;
    for (const [index, secret] of settings.secrets.entries()) {
      for (const { id, slot } of endpoints) {
        const key = keyOf(id, secret);
        this.#owners.set(key, { slot, secret, isOldSecret: index > 0 });
        if (index === 0) this.#keys.set(slot, key);
      }
    }
  }

  /**
   * Where the cookies of a request lead; null where none of them is ours, in time and for an endpoint that is still
   * configured. Never throws, and takes time in proportion to the length of the header whatever is in it. Whether the
   * endpoint may be used is the caller's to judge.
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
   * The cookies of a request without ours, which are nobody else's business; null where none of them is ours. What is
   * left keeps its order; cookies of our name that a neighbour in the domain has set go with ours.
   */
  without(cookieHeader: string): string | null {
    if (this.#settings.isPassedOn || !cookieHeader.includes(this.#prefix)) return null;
    const cookies = cookieHeader.split(';').map((cookie) => cookie.trim());
    const others = cookies.filter((cookie) => !cookie.startsWith(this.#prefix));
    return others.length === cookies.length ? null : others.filter((cookie) => cookie !== '').join('; ');
  }

  /**
   * The value of a Set-Cookie field that leads to an endpoint. The response is this client's alone then: it needs
   * `Cache-Control: private`, or a shared cache hands the session on (RFC 9111 section 7.3).
   * @param slot of one of the endpoints that this was built with
   * @param isTls whether the client came over TLS, for `secure: auto`
   * @param nowWallMs ms since 1970
   * @param sinceMs where the session goes on: `sinceMs` of the choice that is renewed. Without it a session begins.
   */
  setCookieFor(slot: number, isTls: boolean, nowWallMs: number, sinceMs = nowWallMs): string {
    const { secure } = this.#settings;
    const isSecure = secure === 'always' || (secure === 'auto' && isTls);
    return `${this.#prefix}${this.#valueFor(slot, sinceMs, nowWallMs)}${this.#attributes}${isSecure ? '; Secure' : ''}`;
  }

  /** The value of our cookie in one part of the header, '' where it is another's or cannot be ours. */
  #valueIn(header: string, begin: number, end: number): string {
    let at = begin;
    while (at < end && (header[at] === ' ' || header[at] === '\t')) at++;
    if (!header.startsWith(this.#prefix, at)) return '';
    at += this.#prefix.length;
    return end - at > MAX_VALUE_CHARACTERS ? '' : header.slice(at, end).trimEnd();
  }

  /** Checks form and signature. What is made up by hand ends at the unknown KEY, before any hashing. */
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

  /** Only what was verified comes in here, so that no flood of forged cookies drives it out. */
  #remember(value: string, verified: Verified): void {
    if (this.#verified.size >= MAX_VERIFIED) this.#verified.delete(this.#verified.keys().next().value!);
    this.#verified.set(ownCopy(value), verified);
  }
}

function keyOf(id: string, secret: string): string {
  return createHmac('sha256', secret).update(id).digest().toString('base64url', 0, KEY_BYTES);
}

/** In constant time: one that ends at the first difference would let a signature be found sign by sign. */
function areSame(mac: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(mac, 'latin1'), Buffer.from(expected, 'latin1'));
}

/** A slice of a header would keep the whole header in memory for as long as it is remembered. */
function ownCopy(value: string): string {
  return Buffer.from(value, 'latin1').toString('latin1');
}

/** A limit of 0 is none. */
function isOver(ms: number, limitMs: number): boolean {
  return limitMs > 0 && ms > limitMs;
}

function secondOf(ms: number): number {
  return Math.floor(ms / 1000);
}

function msOf(base36: string): number {
  return Number.parseInt(base36, 36) * 1000;
}
