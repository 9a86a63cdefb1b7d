// Connections by `openssl s_client`, which offers what Node's own client refuses to: sessions under another name, old versions,
// single cipher suites. Thread: main.

import { spawn } from 'node:child_process';
import { patientMs } from './patience.ts';

export interface OpensslOutcome {
  /** Whether the handshake succeeded. */
  readonly isConnected: boolean;
  readonly isResumed: boolean;
  /** Such as `TLSv1.3`; '' where there is none. */
  readonly version: string;
  readonly cipher: string;
  /** Both outputs. */
  readonly text: string;
}

const LONGEST_MS = patientMs(20_000);

/** @param request bytes to send after the handshake; the server must close the connection after it */
export function opensslClient(port: number, args: readonly string[], request = ''): Promise<OpensslOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-ign_eof', ...args], {
      timeout: LONGEST_MS,
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => (text += part));
    child.once('error', reject);
    child.stdin.on('error', () => undefined);
    child.stdin.end(request);
    child.once('close', () => resolve(outcomeOf(text)));
  });
}

/** The line `New, TLSv1.3, Cipher is NAME` or `Reused, ...`. */
function outcomeOf(text: string): OpensslOutcome {
  const [, kind = '', version = '', cipher = ''] = /^(New|Reused), (\S+), Cipher is (\S+)/m.exec(text) ?? [];
  return { isConnected: cipher !== '' && cipher !== '(NONE)', isResumed: kind === 'Reused', version, cipher, text };
}
