// When a certificate is renewed, and when a failed order is repeated. Plans are stored, so that a restart keeps them and
// several processes share them. Thread: main.

import type { Random } from '../../core/random.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** Share of the validity after which a certificate is renewed, and that of short-lived ones. */
const RENEW_AT = 2 / 3;
const RENEW_SHORT_AT = 1 / 2;
const SHORT_MS = 10 * DAY_MS;
/** Largest share of the validity by which a renewal is earlier, at random: many hosts must not renew at one time. */
const JITTER = 1 / 30;

/** Delay after the first failure; doubled by each further one. Let's Encrypt allows five failed validations an hour. */
const FIRST_RETRY_MS = 5 * 60 * 1000;
const LONGEST_RETRY_MS = 12 * HOUR_MS;
/** The same after a failed preflight, which costs the CA nothing. */
const FIRST_PREFLIGHT_MS = 60 * 1000;
const LONGEST_PREFLIGHT_MS = HOUR_MS;

/** Bounds of the interval between two looks at the renewal information (RFC 9773 section 4.3.2). */
const DEFAULT_LOOK_MS = 6 * HOUR_MS;
const SHORTEST_LOOK_MS = 60_000;
const LONGEST_LOOK_MS = DAY_MS;

/** Times are in ms since 1970. */
export interface CertificatePlan {
  /** Serial number of the certificate that the plan is for; '' before the first one. */
  readonly serial: string;
  readonly renewAtMs: number;
  /** Window that the CA suggested, in which `renewAtMs` was chosen; null where it suggested none. */
  readonly window: RenewalWindow | null;
  /** Time of the next look at the renewal information. */
  readonly lookAtMs: number;
  /** Failed orders since the last success. */
  readonly failures: number;
  /** '' if there is none. */
  readonly lastError: string;
  /** Time before which no order is made. */
  readonly retryAtMs: number;
}

/** A window for renewal (RFC 9773 section 4.2). */
export interface RenewalWindow {
  readonly startMs: number;
  readonly endMs: number;
}

export const NO_PLAN: CertificatePlan = {
  serial: '',
  renewAtMs: 0,
  window: null,
  lookAtMs: 0,
  failures: 0,
  lastError: '',
  retryAtMs: 0,
};

/** Validity of a certificate, and its serial number. */
export interface Validity {
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** The plan of a new certificate: renewal at two thirds of its validity, with jitter. */
export function planFor({ serial, notBeforeMs, notAfterMs }: Validity, random: Random): CertificatePlan {
  const lifeMs = notAfterMs - notBeforeMs;
  const share = (lifeMs < SHORT_MS ? RENEW_SHORT_AT : RENEW_AT) - JITTER * random.next();
  return { ...NO_PLAN, serial, renewAtMs: Math.round(notBeforeMs + share * lifeMs) };
}

/** The plan after renewal information. A time that was chosen in the same window stays. @param lookInMs Retry-After; 0 if none */
export function planInWindow(
  plan: CertificatePlan,
  window: RenewalWindow,
  lookInMs: number,
  nowMs: number,
  random: Random,
): CertificatePlan {
  const delayMs = Math.min(LONGEST_LOOK_MS, Math.max(SHORTEST_LOOK_MS, lookInMs || DEFAULT_LOOK_MS));
  const isSame = plan.window?.startMs === window.startMs && plan.window.endMs === window.endMs;
  const chosenMs = Math.round(window.startMs + random.next() * Math.max(0, window.endMs - window.startMs));
  return { ...plan, window, lookAtMs: nowMs + delayMs, renewAtMs: isSame ? plan.renewAtMs : chosenMs };
}

/** The plan where no renewal information is available. */
export function planWithoutWindow(plan: CertificatePlan, nowMs: number): CertificatePlan {
  return { ...plan, lookAtMs: nowMs + DEFAULT_LOOK_MS };
}

export interface OrderFailure {
  readonly message: string;
  /** Minimum that the CA demands before the next order; 0 for none. */
  readonly retryAfterMs: number;
  /** Whether no order was made, because the preflight failed. */
  readonly isPrevented: boolean;
}

/** The plan after a failed order. */
export function planAfterFailure(
  plan: CertificatePlan,
  { message, retryAfterMs, isPrevented }: OrderFailure,
  nowMs: number,
  random: Random,
): CertificatePlan {
  const failures = plan.failures + 1;
  const [firstMs, longestMs] = isPrevented
    ? [FIRST_PREFLIGHT_MS, LONGEST_PREFLIGHT_MS]
    : [FIRST_RETRY_MS, LONGEST_RETRY_MS];
  const backoffMs = Math.min(longestMs, firstMs * 2 ** (failures - 1));
  const delayMs = Math.max(retryAfterMs, backoffMs * (0.75 + 0.25 * random.next()));
  return { ...plan, failures, lastError: message, retryAtMs: Math.round(nowMs + delayMs) };
}
