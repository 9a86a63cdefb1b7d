// Metrics of the listeners' certificates: expiry, files that can't be used, changes. Thread: main.

import type { CertificateFacts } from '../../core/certificate-facts.ts';
import { METRIC_PREFIX, type MetricFamily } from './metric-family.ts';

export const CERTIFICATE_METRICS: readonly MetricFamily[] = [
  perCertificate(
    'listener_certificate_expiry_timestamp_seconds',
    'Unix time at which a certificate expires.',
    ({ notAfterMs }) => notAfterMs / 1000,
    Math.min,
  ),
  perCertificate(
    'listener_certificate_refused',
    '1 where the newest content of the files of a certificate cannot be used, so that an older one stays in use.',
    ({ error }) => (error === null ? 0 : 1),
    Math.max,
  ),
  {
    name: `${METRIC_PREFIX}certificate_changes_total`,
    help: 'Changes of certificate files, by result.',
    type: 'counter',
    scope: 'process',
    labels: ['result'],
    collect: ({ context: { certificates } }) => [
      { labels: { result: 'installed' }, value: certificates.changes.installed },
      { labels: { result: 'refused' }, value: certificates.changes.refused },
    ],
  },
];

/** @param merge for certificates of one listener with the same first name and type of key */
function perCertificate(
  name: string,
  help: string,
  read: (facts: CertificateFacts) => number,
  merge: (one: number, other: number) => number,
): MetricFamily {
  const labels = ['listener', 'certificate', 'key_type'];
  return {
    name: METRIC_PREFIX + name,
    help,
    type: 'gauge',
    scope: 'listener',
    labels,
    collect: ({ context }) => {
      const values = new Map<string, { labels: Record<string, string>; value: number }>();
      for (const facts of context.certificates.list()) {
        const of = { listener: facts.listener, certificate: facts.names[0] ?? '', key_type: facts.keyType };
        const key = Object.values(of).join('\n');
        const before = values.get(key)?.value;
        values.set(key, { labels: of, value: before === undefined ? read(facts) : merge(before, read(facts)) });
      }
      return [...values.values()];
    },
  };
}
