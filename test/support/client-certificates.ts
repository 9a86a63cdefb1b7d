// A CA with client certificates, one of them revoked, made by openssl for a test. Thread: main.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface ClientCertificates {
  /** PEM text of the CA. */
  readonly ca: string;
  /** PEM text of its revocation list. */
  readonly crl: string;
  /** Arguments of s_client to present the certificate. */
  readonly valid: readonly string[];
  readonly revoked: readonly string[];
  /** Issued by a CA of the same name with another key. */
  readonly foreign: readonly string[];
}

const CA_CONFIG = `
[ca]
default_ca = own
[own]
database = index.txt
crlnumber = crlnumber
default_md = sha256
default_crl_days = 7
`;

/** @param folder an empty directory for its files */
export function makeClientCertificates(folder: string): ClientCertificates {
  const run = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  const read = (file: string): string => readFileSync(path.join(folder, file), 'utf8');
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  for (const [name, value] of [
    ['ca.cnf', CA_CONFIG],
    ['index.txt', ''],
    ['crlnumber', '01\n'],
    ['san.cnf', 'subjectAltName=DNS:app.test,URI:spiffe://example.test/app\n'],
  ] as const) {
    writeFileSync(path.join(folder, name), value);
  }
  for (const ca of ['ca', 'other']) {
    run(
      'req',
      '-x509',
      ...newKey,
      '-days',
      '7',
      '-subj',
      '/CN=Clients CA',
      '-keyout',
      `${ca}.key`,
      '-out',
      `${ca}.pem`,
    );
  }
  const issue = (name: string, ca: string, serial: string): readonly string[] => {
    const signed = [
      '-CA',
      `${ca}.pem`,
      '-CAkey',
      `${ca}.key`,
      '-set_serial',
      serial,
      '-days',
      '7',
      '-extfile',
      'san.cnf',
    ];
    run('req', ...newKey, '-subj', `/O=Example, Inc/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    run('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.pem`);
    return ['-cert', path.join(folder, `${name}.pem`), '-key', path.join(folder, `${name}.key`)];
  };
  const valid = issue('app', 'ca', '10');
  const revoked = issue('revoked', 'ca', '11');
  const foreign = issue('foreign', 'other', '12');
  const authority = ['-config', 'ca.cnf', '-cert', 'ca.pem', '-keyfile', 'ca.key'];
  run('ca', ...authority, '-revoke', 'revoked.pem');
  run('ca', ...authority, '-gencrl', '-out', 'ca.crl');
  return { ca: read('ca.pem'), crl: read('ca.crl'), valid, revoked, foreign };
}
