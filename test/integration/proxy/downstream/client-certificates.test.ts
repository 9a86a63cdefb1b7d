// Client certificates: who is served, what is known about the client, and sessions. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ClientAuthSnapshot, TlsSnapshot } from '../../../../core/snapshot/listener.ts';
import type { ClientCertificate } from '../../../../core/exchange-contract.ts';
import { Bench } from '../../../contract/proxy/downstream/bench.ts';
import { testCertificate } from '../../../support/certificates.ts';
import { type ClientCertificates, makeClientCertificates } from '../../../support/client-certificates.ts';
import { opensslClient } from '../../../support/openssl-client.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const SECRETS = { current: Buffer.alloc(32, 5), previous: null };

describe('client certificates', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-clients-'));
  const session = path.join(folder, 'session.pem');
  let files: ClientCertificates;
  let benches: Record<'required' | 'optional' | 'withCrl', Bench>;
  const seen: (ClientCertificate | null)[] = [];

  const start = async (clientAuth: ClientAuthSnapshot): Promise<Bench> => {
    const certificates = [testCertificate(['first.test'])];
    const tls: TlsSnapshot = { certificates, minVersion: 'TLSv1.2', http2: true, clientAuth };
    const bench = await new Bench({ listener: { tls }, ticketSecrets: SECRETS }).start();
    bench.starter.answerAll((exchange) => {
      seen.push(exchange.client.connection.certificate ?? null);
      exchange.answer('served');
    });
    return bench;
  };

  before(async () => {
    files = makeClientCertificates(folder);
    const ca = [files.ca];
    benches = {
      required: await start({ isRequired: true, ca, crl: [] }),
      optional: await start({ isRequired: false, ca, crl: [] }),
      withCrl: await start({ isRequired: true, ca, crl: [files.crl] }),
    };
  });

  after(async () => {
    for (const bench of Object.values(benches)) await bench.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** @returns whether the request was answered */
  const isServed = async (listener: keyof typeof benches, ...args: string[]): Promise<boolean> => {
    const { text } = await opensslClient(benches[listener].port, ['-servername', 'first.test', ...args], REQUEST);
    return text.includes('served');
  };

  for (const version of ['-tls1_2', '-tls1_3']) {
    for (const [listener, client, expected] of [
      ['required', 'valid', true],
      ['required', 'foreign', false],
      ['required', 'none', false],
      ['optional', 'valid', true],
      ['optional', 'foreign', false],
      ['optional', 'none', true],
      ['withCrl', 'valid', true],
      ['withCrl', 'revoked', false],
    ] as const) {
      test(`${version}, ${listener}: a client with ${client === 'none' ? 'no' : `a ${client}`} certificate is ${expected ? 'served' : 'refused'}`, async () => {
        const failures = benches[listener].count('tlsFailedClient');
        const args = client === 'none' ? [] : files[client];
        assert.equal(await isServed(listener, version, ...args), expected);
        assert.equal(benches[listener].count('tlsFailedClient') - failures, expected ? 0 : 1);
      });
    }

    test(`${version}: a session is not resumed on a listener that verifies clients in another way`, async () => {
      assert.equal(await isServed('optional', version, '-sess_out', session), true);
      assert.equal(await isServed('optional', version, '-sess_in', session), true);
      assert.equal(benches.optional.count('tlsResumed') > 0, true);
      assert.equal(await isServed('required', version, '-sess_in', session), false);
      assert.equal(benches.required.count('tlsResumed'), 0);
    });

    test(`${version}: a resumed session has the facts of its certificate`, async () => {
      const resumed = benches.withCrl.count('tlsResumed');
      assert.equal(await isServed('withCrl', version, ...files.valid, '-sess_out', session), true);
      assert.equal(await isServed('withCrl', version, ...files.valid, '-sess_in', session), true);
      assert.equal(benches.withCrl.count('tlsResumed'), resumed + 1);
      const [full, again] = seen.slice(-2);
      assert.deepEqual(again, full);
      assert.equal(again!.subject, String.raw`O=Example\, Inc,CN=app`);
      assert.equal(again!.issuer, 'CN=Clients CA');
      assert.equal(again!.san, 'DNS:app.test, URI:spiffe://example.test/app');
      assert.equal(again!.serial, '0A');
      assert.match(again!.fingerprint, /^[0-9a-f]{64}$/);
      assert.match(again!.certificate, /^:MII[\w+/=]+:$/);
    });
  }

  test('the reason of a refusal is logged', async () => {
    await isServed('withCrl', ...files.revoked);
    const { fields } = benches.withCrl.logged.at(-1)!;
    assert.deepEqual([fields['cause'], fields['error']], ['client-certificate', 'CERT_REVOKED']);
  });
});
