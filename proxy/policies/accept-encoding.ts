// Negotiates the content coding of a response (RFC 9110 section 12.5.3). Thread: both.

/** Content codings that Fairlead produces, by their registered names. */
export const CODINGS = ['zstd', 'br', 'gzip'] as const;
export type Coding = (typeof CODINGS)[number];

/** Outcome of a negotiation. */
export interface Negotiated {
  /** The preferred coding; null for none. */
  readonly coding: Coding | null;
  /** Whether the client refuses a body without a coding. */
  readonly isIdentityRefused: boolean;
}

const PLAIN: Negotiated = { coding: null, isIdentityRefused: false };
/** Clients send few different values: results are kept up to this number of them. */
const MAX_KEPT = 64;
/** Longer values are not kept: a client could fill the memory with them. */
const MAX_KEPT_LENGTH = 256;

/** Negotiates between the codings of one configuration. */
export class CodingChoice {
  readonly #codings: readonly Coding[];
  readonly #kept = new Map<string, Negotiated>();

  /** @param codings in the order of preference among those that a client accepts equally */
  constructor(codings: readonly Coding[]) {
    this.#codings = codings;
  }

  /** @param accepted value of Accept-Encoding; without one the body is sent as it is */
  of(accepted: string | undefined): Negotiated {
    if (accepted === undefined || this.#codings.length === 0) return PLAIN;
    const known = this.#kept.get(accepted);
    if (known !== undefined) return known;
    const negotiated = negotiate(accepted, this.#codings);
    if (accepted.length <= MAX_KEPT_LENGTH) {
      if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
      this.#kept.set(accepted, negotiated);
    }
    return negotiated;
  }
}

/** Codings with their qualities as a client lists them; names in lower case. */
export function negotiate(accepted: string, codings: readonly Coding[]): Negotiated {
  const qualities = qualitiesOf(accepted);
  const others = qualities.get('*');
  // Identity is acceptable unless it, or everything that is not named, is excluded.
  const identity = qualities.get('identity') ?? (others === 0 ? 0 : undefined);
  let coding: Coding | null = null;
  let best = 0;
  for (const candidate of codings) {
    const quality =
      qualities.get(candidate) ?? (candidate === 'gzip' ? qualities.get('x-gzip') : undefined) ?? others ?? 0;
    if (quality > best) [coding, best] = [candidate, quality];
  }
  const prefersIdentity = identity !== undefined && identity > best;
  return { coding: prefersIdentity ? null : coding, isIdentityRefused: identity === 0 };
}

/** The codings that a client accepts, the most preferred one first. */
export function acceptedCodings(accepted: string | undefined, codings: readonly Coding[]): readonly Coding[] {
  if (accepted === undefined || codings.length === 0) return [];
  const found: Coding[] = [];
  for (;;) {
    const { coding } = negotiate(
      accepted,
      codings.filter((one) => !found.includes(one)),
    );
    if (coding === null) return found;
    found.push(coding);
  }
}

function qualitiesOf(accepted: string): Map<string, number> {
  const qualities = new Map<string, number>();
  for (const item of accepted.toLowerCase().split(',')) {
    const [name = '', ...parameters] = item.split(';');
    const coding = name.trim();
    if (coding !== '') qualities.set(coding, qualityOf(parameters));
  }
  return qualities;
}

/** A weight that is none counts as 0: a body that the client can't read costs more than a larger one. */
function qualityOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const match = /^\s*q\s*=\s*(.*?)\s*$/.exec(parameter);
    if (match !== null) return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(match[1]!) ? Number(match[1]) : 0;
  }
  return 1;
}
