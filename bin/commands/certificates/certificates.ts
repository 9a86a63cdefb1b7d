// `fairlead certificates`: certificates of the running Fairlead, and their renewal. Thread: main.

import type { CertificateReply } from '../../../admin/api/certificate-schemas.ts';
import { callAdmin, refusalWords } from '../live/admin-client.ts';
import { type AdminOptions, adminTarget } from '../live/admin-target.ts';
import { attempt, UsageError } from '../live/run-live-command.ts';
import { certificateLines } from './certificates-text.ts';

export interface CertificatesOptions extends AdminOptions {
  readonly json?: boolean;
}

/** Prints a table and sets the exit code. */
export function listCertificates(options: CertificatesOptions): Promise<void> {
  return attempt(async () => {
    const answer = await callAdmin(adminTarget(options), '/api/v1/certificates');
    if (answer.status !== 200) throw new Error(refusalWords(answer));
    if (options.json === true) {
      console.log(JSON.stringify(answer.body, null, 2));
      return;
    }
    const { certificates } = answer.body as { readonly certificates: readonly CertificateReply[] };
    for (const line of certificateLines(certificates, Date.now())) console.log(line);
  });
}

/** Orders a certificate now, and sets the exit code. */
export function renewCertificate(name: string, options: CertificatesOptions): Promise<void> {
  return attempt(async () => {
    const answer = await callAdmin(adminTarget(options), '/api/v1/certificates', { body: { name } });
    if (answer.status === 404) throw unknownName(refusalWords(answer), answer.body);
    if (answer.status !== 200) throw new Error(refusalWords(answer));
    if (options.json === true) console.log(JSON.stringify(answer.body, null, 2));
    else console.log(`certificate for ${name} is being ordered: fairlead certificates shows the outcome`);
  });
}

function unknownName(words: string, body: object): UsageError {
  const { names = [] } = body as { names?: readonly string[] };
  return new UsageError([`${words}; there are:`, ...(names.length === 0 ? ['none'] : names)].join('\n  '));
}
