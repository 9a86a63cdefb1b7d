// Sessions of TLS: resumed over workers and rotations of their keys, never under a name of other certificates. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { TlsSnapshot } from '../../../../core/snapshot/listener.ts';
import type { TicketSecrets } from '../../../../core/ticket-secrets.ts';
import { Bench } from '../../../contract/proxy/downstream/bench.ts';
import { testCertificate } from '../../../support/certificates.ts';
import { opensslClient } from '../../../support/openssl-client.ts';

const TLS: TlsSnapshot = {
  certificates: [testCertificate(['first.test', 'also-first.test']), testCertificate(['second.test'])],
  minVersion: 'TLSv1.2',
  http2: true,
};

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
const FIRST: TicketSecrets = { current: Buffer.alloc(32, 1), previous: null };
const SECOND: TicketSecrets = { current: Buffer.alloc(32, 2), previous: FIRST.current };

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-sessions-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Handshake {
  readonly isResumed: boolean;
  /** The newest ticket; null where none came. */
  readonly session: Buffer | null;
}

/** One connection with one request, after which the tickets of TLS 1.3 have arrived. */
function handshake(port: number, options: ConnectionOptions): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    let session: Buffer | null = null;
    socket.on('session', (ticket) => (session = ticket));
    let isResumed = false;
    socket.once('secureConnect', () => {
      isResumed = socket.isSessionReused();
      socket.write(REQUEST);
    });
    socket.resume();
    socket.once('error', reject);
    socket.once('close', () => resolve({ isResumed, session }));
  });
}

async function withBenches(play: (...benches: Bench[]) => Promise<void>, secrets = FIRST): Promise<void> {
  const benches = await Promise.all(
    [1, 2].map(() => new Bench({ listener: { tls: TLS }, ticketSecrets: secrets }).start()),
  );
  for (const { starter } of benches) starter.answerAll((exchange) => exchange.answer());
  try {
    await play(...benches);
  } finally {
    for (const bench of benches) await bench.stop();
  }
}

describe('a session', () => {
  for (const maxVersion of VERSIONS) {
    const options = { servername: 'first.test', maxVersion };

    test(`of ${maxVersion} is resumed by another worker, and both kinds are counted`, () =>
      withBenches(async (one, other) => {
        const { isResumed, session } = await handshake(one!.port, options);
        assert.equal(isResumed, false);
        const again = await handshake(other!.port, { ...options, session: session! });
        assert.equal(again.isResumed, true);
        assert.deepEqual([one!.count('tlsFull'), one!.count('tlsResumed')], [1, 0]);
        assert.deepEqual([other!.count('tlsFull'), other!.count('tlsResumed')], [0, 1]);
      }));

    test(`of ${maxVersion} is resumed under another name of the same certificate, and under no name of another`, (t) =>
      withBenches(async (one) => {
        const file = path.join(folderFor(t), 'session.pem');
        const version = maxVersion === 'TLSv1.2' ? '-tls1_2' : '-tls1_3';
        const open = (name: string, ...args: string[]) =>
          opensslClient(one!.port, [version, '-servername', name, ...args], REQUEST);
        const { isConnected, isResumed } = await open('first.test', '-sess_out', file);
        assert.deepEqual([isConnected, isResumed], [true, false]);
        const resumed = [];
        for (const name of ['also-first.test', 'second.test', 'first.test']) {
          resumed.push((await open(name, '-sess_in', file)).isResumed);
        }
        assert.deepEqual(resumed, [true, false, true]);
      }));

    test(`of ${maxVersion} outlives one rotation of the keys, and not two`, () =>
      withBenches(async (one) => {
        const { session } = await handshake(one!.port, options);
        one!.downstream.setTicketSecrets(SECOND);
        assert.equal((await handshake(one!.port, { ...options, session: session! })).isResumed, true);
        const fresh = await handshake(one!.port, options);
        one!.downstream.setTicketSecrets({ current: SECOND.current, previous: null });
        assert.equal((await handshake(one!.port, { ...options, session: session! })).isResumed, false);
        assert.equal((await handshake(one!.port, { ...options, session: fresh.session! })).isResumed, true);
      }));
  }

  test('with the keys of other workers is not resumed', () =>
    withBenches(async (one) => {
      const { session } = await handshake(one!.port, { servername: 'first.test' });
      await withBenches(
        async (stranger) => {
          assert.equal(
            (await handshake(stranger!.port, { servername: 'first.test', session: session! })).isResumed,
            false,
          );
        },
        { current: SECOND.current, previous: null },
      );
    }));
});
