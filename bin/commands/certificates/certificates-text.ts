// The table of `fairlead certificates`. Thread: main.

import type { CertificateReply } from '../../../admin/api/certificate-schemas.ts';
import { alignedLines } from '../aligned-lines.ts';
import { plainText } from '../explain/why-text.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HEAD = ['NAMES', 'LISTENER', 'SOURCE', 'ISSUER', 'EXPIRES', 'RENEWAL', 'STATE'];
/** Names that one line shows. */
const MOST_NAMES = 3;

/** @param nowMs wall-clock ms, to which times are relative */
export function certificateLines(certificates: readonly CertificateReply[], nowMs: number): string[] {
  if (certificates.length === 0) return ['no certificates: no listener has TLS'];
  return alignedLines([HEAD, ...certificates.map((one) => cellsOf(one, nowMs))]);
}

function cellsOf(one: CertificateReply, nowMs: number): string[] {
  const names = one.names.slice(0, MOST_NAMES).join(', ');
  const more = one.names.length > MOST_NAMES ? ` and ${one.names.length - MOST_NAMES} more` : '';
  const source = one.source !== 'acme' ? one.source : `${one.authority}, ${one.challenge}`;
  const times = [one.notAfter, one.nextRenewal].map((time) => (time === null ? '-' : timeFrom(time, nowMs)));
  return [names + more, one.listener ?? '-', source, commonName(one.issuer ?? '-'), ...times, stateOf(one)].map(
    plainText,
  );
}

/** The common name of a distinguished name, or all of it. */
function commonName(issuer: string): string {
  return /(?:^|, )CN=([^,]+)/.exec(issuer)?.[1] ?? issuer;
}

/** A date with the distance to it: `2026-03-01, in 29 d`. */
function timeFrom(time: string, nowMs: number): string {
  const distanceMs = Date.parse(time) - nowMs;
  const far = Math.abs(distanceMs);
  const shown = far >= 2 * DAY_MS ? `${Math.floor(far / DAY_MS)} d` : `${Math.floor(far / HOUR_MS)} h`;
  return `${time.slice(0, 10)}, ${distanceMs < 0 ? `${shown} ago` : `in ${shown}`}`;
}

function stateOf({ state, error, failures, nextAttempt }: CertificateReply): string {
  if (error === null) return state;
  const failed = failures > 0 ? `${failures} failed, next attempt ${nextAttempt}` : 'newer file not used';
  return `${state}; ${failed}: ${error}`;
}
