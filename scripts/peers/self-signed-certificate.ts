// The certificate of all proxies in a benchmark: self-signed, ECDSA P-256, made by openssl. Thread: main.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** Both in one file, as HAProxy expects. */
  readonly both: string;
}

/** Creates a certificate for 127.0.0.1 in the folder. @throws Error when openssl is missing */
export function makeCertificate(folder: string): Certificate {
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem'), both: join(folder, 'both.pem') };
  const kind = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 7 -subj /CN=localhost'.split(' ');
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const args = ['req', ...kind, ...names, '-keyout', files.key, '-out', files.cert];
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  writeFileSync(files.both, readFileSync(files.cert, 'utf8') + readFileSync(files.key, 'utf8'), { mode: 0o600 });
  return files;
}
