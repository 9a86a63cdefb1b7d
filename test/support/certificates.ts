// Certificates for tests, created by openssl on first use and kept in the temporary directory, so that the repository
// contains no keys and no certificate expires. Thread: main.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CertificateSnapshot } from '../../core/snapshot/listener.ts';

const VALID_DAYS = 30;
const RENEW_AFTER_MS = 20 * 24 * 3600 * 1000;

/** A self-signed certificate for DNS names (wildcards may be among them) and 127.0.0.1, as PEM text. */
export function testCertificate(names: readonly string[], keyType: 'ec' | 'rsa' = 'ec'): CertificateSnapshot {
  const directory = path.join(tmpdir(), `fairlead-test-certificates-${process.getuid?.() ?? 0}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const place = path.join(
    directory,
    createHash('sha256')
      .update(keyType === 'ec' ? names.join(' ') : `${keyType} ${names.join(' ')}`)
      .digest('hex')
      .slice(0, 16),
  );
  if (!isFresh(place)) make(directory, place, names, keyType);
  const read = (file: string): string => readFileSync(path.join(place, file), 'utf8');
  return { cert: read('cert.pem'), key: read('key.pem'), names, files: null };
}

function isFresh(place: string): boolean {
  const status = statSync(path.join(place, 'cert.pem'), { throwIfNoEntry: false });
  return status !== undefined && Date.now() - status.mtimeMs < RENEW_AFTER_MS;
}

/** Written elsewhere and renamed, so that no concurrent test process reads an incomplete file. */
function make(directory: string, place: string, names: readonly string[], keyType: 'ec' | 'rsa'): void {
  const aside = mkdtempSync(path.join(directory, 'making-'));
  const alternatives = [...names.map((name) => `DNS:${name}`), 'IP:127.0.0.1'].join(',');
  const files = ['-keyout', path.join(aside, 'key.pem'), '-out', path.join(aside, 'cert.pem')];
  const kind = keyType === 'ec' ? ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'] : ['rsa:2048'];
  const curve = ['-newkey', ...kind, '-nodes'];
  const subject = [
    '-days',
    String(VALID_DAYS),
    '-subj',
    `/CN=${names[0]}`,
    '-addext',
    `subjectAltName=${alternatives}`,
  ];
  execFileSync('openssl', ['req', '-x509', ...curve, ...files, ...subject], { stdio: 'ignore' });
  rmSync(place, { recursive: true, force: true });
  try {
    renameSync(aside, place);
  } catch {
    rmSync(aside, { recursive: true, force: true }); // another process was faster
  }
}
