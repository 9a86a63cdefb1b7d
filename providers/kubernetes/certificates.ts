// Certificates in TLS secrets. Thread: main.

import { type ApiObject, textAt } from '../../discovery/kubernetes/api-object.ts';
import type { ProvidedCertificate } from '../provider.ts';
import { originOf } from './backends.ts';
import type { Cluster } from './cluster.ts';

export type SecretOutcome =
  | { readonly ok: true; readonly certificate: ProvidedCertificate }
  | { readonly ok: false; readonly origin: string; readonly cause: string };

/** @param key `namespace/name` */
export function certificateOf(
  { secrets }: Pick<Cluster, 'secrets'>,
  key: string,
  listeners: readonly string[],
): SecretOutcome {
  const origin = originOf('secret', key);
  const secret = secrets.get(key);
  if (secret === undefined) return { ok: false, origin, cause: 'there is no such secret of type kubernetes.io/tls' };
  const cert = decoded(secret, 'tls.crt');
  const privateKey = decoded(secret, 'tls.key');
  if (cert === '' || privateKey === '') return { ok: false, origin, cause: 'tls.crt or tls.key is missing' };
  return { ok: true, certificate: { origin, cert, key: privateKey, listeners } };
}

function decoded(secret: ApiObject, key: string): string {
  return Buffer.from(textAt(secret, 'data', key), 'base64').toString('utf8');
}
