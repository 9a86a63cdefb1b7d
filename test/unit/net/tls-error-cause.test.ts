// Failed TLS with a server, by real handshakes: each cause has its own text, with the next step. Thread: both.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { issueCertificate, issueRoot, newPrivateKey, pemOfKey } from '../../../control/certificates/x509.ts';
import { systemTimers } from '../../../core/timers.ts';
import { Dialler } from '../../../net/dial.ts';
import { causeOfError } from '../../../net/error-cause.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.now();
const key = await newPrivateKey('ecdsa');
const rootKey = await newPrivateKey('ecdsa');
const root = issueRoot({ key: rootKey, notBeforeMs: NOW - HOUR_MS, notAfterMs: NOW + HOUR_MS }, 'test CA');
const issuer = { certificate: new X509Certificate(root), key: rootKey };

interface Issued {
  readonly name?: string;
  readonly isSelfSigned?: boolean;
  readonly fromMs?: number;
  readonly untilMs?: number;
}

function issued({
  name = 'app.test',
  isSelfSigned = false,
  fromMs = NOW,
  untilMs = NOW + HOUR_MS,
}: Issued = {}): string {
  const validity = { notBeforeMs: fromMs, notAfterMs: untilMs };
  return issueCertificate({ names: [name], key, commonName: name, ...validity, ...(!isSelfSigned && { issuer }) });
}

const tls = (options: TlsOptions) => (): Server =>
  createTlsServer({ key: pemOfKey(key), cert: issued(), ...options }).on('tlsClientError', () => undefined);

/** Sends bytes after those of the client, and closes. */
const bytes =
  (...sent: number[]) =>
  (): Server =>
    createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(Buffer.from(sent)));
    });

/** A fatal alert (RFC 8446 section 6). */
const alert = (code: number) => bytes(21, 3, 3, 0, 2, 2, code);

const refusedOurs = 'it refuses our certificate: renew tls.cert, or have it trust the CA of tls.cert';
const notTls = "it doesn't speak TLS on this port: write http:// in its URL, or correct the port";
const noVersion = 'no common version of TLS: it must speak TLS 1.2 or 1.3';

const CASES: readonly [what: string, server: () => Server, text: string, ca?: string][] = [
  [
    'a certificate for another name',
    tls({ cert: issued({ name: 'other.test' }) }),
    'its certificate is for DNS:other.test, not for app.test: correct tls.serverName, or its certificate',
  ],
  [
    'an expired certificate',
    tls({ cert: issued({ fromMs: NOW - 9 * HOUR_MS, untilMs: NOW - HOUR_MS }) }),
    'its certificate has expired: renew it',
  ],
  [
    'a certificate of the future',
    tls({ cert: issued({ fromMs: NOW + 8 * HOUR_MS, untilMs: NOW + 9 * HOUR_MS }) }),
    'its certificate is not valid yet: compare the clocks of both machines',
  ],
  [
    'a self-signed certificate',
    tls({ cert: issued({ isSelfSigned: true }) }),
    'its certificate is self-signed: name it in tls.ca',
  ],
  [
    'an unknown CA',
    tls({}),
    'its certificate is from an unknown CA: name the CA in tls.ca, or have it send its intermediate certificates',
    issued({ isSelfSigned: true }),
  ],
  [
    'an unknown CA that the endpoint sends',
    tls({ cert: issued() + root }),
    'its certificate is from an unknown CA: name the CA in tls.ca',
    issued({ isSelfSigned: true }),
  ],
  ['HTTP without TLS', bytes(...Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')), notTls],
  ['another protocol', bytes(...Buffer.from('220 mail ESMTP\r\n')), notTls],
  ['no common version', alert(70), noVersion],
  [
    'a demand of a client certificate with TLS 1.2, or no common cipher suite',
    alert(40),
    'it refuses the handshake: it requires a certificate (tls.cert), or has no common cipher suite',
  ],
  ['a demand of a client certificate', alert(116), 'it requires a certificate: set tls.cert and tls.key'],
  ['a bad certificate of ours', alert(42), refusedOurs],
  ['an expired certificate of ours', alert(45), refusedOurs],
  ['a CA of ours that it does not know', alert(48), refusedOurs],
  ['an unknown server name', alert(112), 'it serves no such server name: correct tls.serverName'],
  ['no common protocol', alert(120), 'no common application protocol (ALPN): correct the protocol of the upstream'],
  ['an internal error', alert(80), 'it ended the handshake with an internal error: see its log'],
  ['an alert without a text of ours', alert(50), 'tlsv1 alert decode error'],
];

async function textOf(t: TestContext, server: Server, ca: string): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const settings = { verify: true, ca: [ca], serverName: 'app.test', protocols: [] };
  const dialler = new Dialler(
    { host: '127.0.0.1', port, socketPath: '', tls: settings, timeoutMs: 5_000 },
    systemTimers,
  );
  return await new Promise((resolve) => {
    dialler.dial((error, socket) => {
      socket?.destroy();
      assert.equal(error?.kind, 'tls-failed');
      resolve(causeOfError(error!.cause).text);
    });
  });
}

describe('a server whose TLS fails', () => {
  for (const [what, server, text, ca = root] of CASES) {
    test(`by ${what}`, async (t) => assert.equal(await textOf(t, server(), ca), `TLS failed: ${text}`));
  }
});
