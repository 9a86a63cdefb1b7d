// Renewal information of a CA (RFC 9773): when it suggests to renew a certificate. Thread: main.

import type { AcmeAuthority } from './acme-authority.ts';
import type { RenewalWindow } from './certificate-plan.ts';
import { renewalIdentifier } from './x509.ts';

export interface RenewalInfo {
  readonly window: RenewalWindow;
  /** Time that the CA demands before the next request; 0 if none. */
  readonly retryAfterMs: number;
}

/** @param cert in PEM @returns null where the CA gives none for the certificate @throws AcmeError */
export async function readRenewalInfo(
  authority: Pick<AcmeAuthority, 'client'>,
  cert: string,
): Promise<RenewalInfo | null> {
  const client = await authority.client();
  const { renewalInfo } = await client.directory();
  const identifier = renewalIdentifier(cert);
  if (renewalInfo === '' || identifier === null) return null;
  const { value, retryAfterMs } = await client.get(`${renewalInfo}/${identifier}`, 'renewal information');
  const window = windowOf(value['suggestedWindow']);
  return window === null ? null : { window, retryAfterMs };
}

function windowOf(value: unknown): RenewalWindow | null {
  const { start, end } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const [startMs, endMs] = [Date.parse(String(start)), Date.parse(String(end))];
  return Number.isFinite(startMs) && Number.isFinite(endMs) && startMs <= endMs ? { startMs, endMs } : null;
}
