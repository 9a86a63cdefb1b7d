// Schemas of the certificates in the admin API. Thread: main.

import { z } from 'zod';
import { amount, time } from './endpoint-schemas.ts';

const timeOrNull = time.nullable();

export const certificate = z.strictObject({
  names: z.array(z.string()),
  listener: z.string().nullable().describe('Listener that serves it; null before the first certificate of a name.'),
  source: z
    .enum(['file', 'acme', 'internal', 'provider'])
    .describe('Files of the configuration, a CA by ACME, the internal CA, or an object of a provider.'),
  origin: z.string().nullable().describe('Object of a provider that contributes it; null for the others.'),
  file: z.string().nullable().describe("Path of the certificate's file."),
  state: z
    .enum(['in-use', 'waiting', 'ordering'])
    .describe('`waiting` for the first certificate of a name; `ordering` the first one, or its successor.'),
  issuer: z.string().nullable(),
  serial: z.string().nullable(),
  fingerprint: z.string().nullable().describe('SHA-256.'),
  keyType: z.string().nullable(),
  notBefore: timeOrNull,
  notAfter: timeOrNull,
  authority: z.string().nullable().describe('Host of the CA that it is ordered from.'),
  challenge: z.string().nullable(),
  nextRenewal: timeOrNull,
  failures: amount.describe('Failed orders since the last success.'),
  nextAttempt: timeOrNull.describe('Time before which a failed order is not repeated.'),
  error: z.string().nullable().describe('Why a newer file is not used, or why the last order failed.'),
});
export type CertificateReply = z.output<typeof certificate>;

export const certificates = z.strictObject({ certificates: z.array(certificate) });
export const renewBody = z.strictObject({ name: z.string() });
export const renewal = z.strictObject({ name: z.string(), state: z.literal('ordering') });
