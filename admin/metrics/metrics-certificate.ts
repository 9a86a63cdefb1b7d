// Metrics of the listeners' certificates: expiry, files that can't be used, changes. Thread: main.

import type { AutomaticCertificate, CertificateFacts } from '../../core/certificate-facts.ts';
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
  {
    name: `${METRIC_PREFIX}certificate_orders_total`,
    help: 'Orders of automatic certificates, by result; prevented ones were not made, because the preflight failed.',
    type: 'counter',
    scope: 'process',
    labels: ['result'],
    collect: ({ context: { acme } }) => [
      { labels: { result: 'issued' }, value: acme.orders.issued },
      { labels: { result: 'failed' }, value: acme.orders.failed },
      { labels: { result: 'prevented' }, value: acme.orders.prevented },
    ],
  },
  perName(
    'certificate_failures',
    'Failed orders of an automatic certificate since the last success.',
    ({ failures }) => failures,
  ),
  perName('certificate_missing', '1 where an automatic certificate has not been issued yet.', ({ serial }) =>
    serial === '' ? 1 : 0,
  ),
  perName(
    'certificate_renewal_timestamp_seconds',
    'Unix time at which an automatic certificate is to be renewed; 0 before the first one.',
    ({ renewAtMs }) => (renewAtMs ?? 0) / 1000,
  ),
];

function perName(name: string, help: string, read: (one: AutomaticCertificate) => number): MetricFamily {
  return {
    name: METRIC_PREFIX + name,
    help,
    type: 'gauge',
    scope: 'process',
    labels: ['certificate'],
    collect: ({ context }) => {
      // The largest, where listeners obtain certificates for one name in different ways.
      const values = new Map<string, number>();
      for (const one of context.acme.list()) values.set(one.name, Math.max(read(one), values.get(one.name) ?? 0));
      return [...values].map(([certificate, value]) => ({ labels: { certificate }, value }));
    },
  };
}

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
