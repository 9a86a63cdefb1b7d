// The preflight of orders: which names the CA could validate, and what is reported of the others. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { CertificateStorage } from '../../../../control/certificates/certificate-storage.ts';
import { PreflightError, runPreflight } from '../../../../control/certificates/preflight.ts';
import type { AcmeSnapshot } from '../../../../core/snapshot/certificates.ts';
import { systemTimers } from '../../../../core/timers.ts';
import { readAlpnAnswer, readHttpAnswer, tokenOfTarget } from '../../../../net/acme-challenges.ts';
import { testCertificate } from '../../../support/certificates.ts';
import { type ScriptedAnswer, startDnsServer } from '../../../support/dns-server.ts';

const NAME = 'shop.example.com';
const HERE: Zone = { [`${NAME} A`]: { answers: [`${NAME} 30 A 127.0.0.1`] } };
/** No other test listens on it, and nothing on this machine. */
const ELSEWHERE = '127.99.3.7';

type Zone = Readonly<Record<string, ScriptedAnswer | 'silence'>>;
type Challenge = AcmeSnapshot['challenge'];

interface Case {
  readonly zone?: Zone;
  /** Listens on the port of the challenge; nothing does if left out. */
  readonly server?: (storage: string) => Server;
  readonly challenge?: Challenge;
  readonly name?: string;
}

/** @returns '' where the preflight succeeds */
async function outcomeOf(t: TestContext, { zone = HERE, server, challenge = 'http-01', name = NAME }: Case) {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-preflight-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const dns = await startDnsServer(t);
  for (const [question, answer] of Object.entries(zone)) dns.zone.set(question, answer);
  const listening = server?.(folder) ?? createTcpServer();
  await once(listening.listen(0, '127.0.0.1'), 'listening');
  const { port } = listening.address() as AddressInfo;
  if (server === undefined) await new Promise((resolve) => listening.close(resolve));
  t.after(() => listening.close());
  const preflight = { resolvers: [`127.0.0.1:${dns.port}`], httpPort: port, tlsPort: port };
  const storage = new CertificateStorage(folder, systemTimers);
  const parts = { settings: { challenge }, preflight, storage, clock: { wallMs: () => Date.now() } };
  const error = await runPreflight(parts, name).then(
    () => null,
    (reason: unknown) => reason,
  );
  const left = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.deepEqual(left, [], 'no answer is left');
  if (error === null) return { message: '', isProven: true };
  assert.ok(error instanceof PreflightError, 'the error is one of the preflight');
  return { message: error.message.replaceAll(`:${port}`, ':PORT'), isProven: error.isProven };
}

const http = (listener: RequestListener) => createServer(listener);

const own = (storage: string) =>
  http((request, response) => {
    void readHttpAnswer(storage, tokenOfTarget(request.url!)).then((text) => response.end(text ?? 'unknown'));
  });

const redirecting = (to: (url: string, port: number) => string) => (storage: string) =>
  http((request, response) => {
    const { localPort } = request.socket;
    if (request.url!.endsWith('?again')) {
      void readHttpAnswer(storage, tokenOfTarget(request.url!.replace('?again', ''))).then((text) =>
        response.end(text),
      );
    } else response.writeHead(302, { location: to(request.url!, localPort!) }).end();
  });

/** A TLS server, as the workers are for challenges where `answers` is true. */
const tls = (answers: boolean) => (storage: string) => {
  const options: TlsOptions = { ...testCertificate(['other.test']), ALPNProtocols: ['acme-tls/1', 'http/1.1'] };
  const server = createTlsServer(options);
  if (answers) {
    let isSet = false;
    server.prependListener('connection', () => {
      const pem = readAlpnAnswer(storage, NAME)!;
      if (!isSet) server.setSecureContext({ cert: pem, key: pem });
      isSet = true;
    });
  }
  return server.on('tlsClientError', () => undefined);
};

const PASSING: Readonly<Record<string, Case>> = {
  'this installation answers': { server: own },
  'an address that nobody reaches beside one that answers': {
    zone: { [`${NAME} A`]: { answers: [`${NAME} 30 A 127.0.0.1`, `${NAME} 30 A ${ELSEWHERE}`] } },
    server: own,
  },
  'a redirect on the same port': { server: redirecting((url) => `${url}?again`) },
  'a CNAME': {
    zone: { [`${NAME} A`]: { answers: [`${NAME} 30 CNAME edge.test`, 'edge.test 30 A 127.0.0.1'] } },
    server: own,
  },
  'tls-alpn-01': { server: tls(true), challenge: 'tls-alpn-01' },
  'dns-01 in the zone of a parent': {
    zone: { 'example.com SOA': { answers: ['example.com 30 SOA 1 2 3 4 5'] } },
    challenge: 'dns-01',
    name: `*.${NAME}`,
  },
};

const FAILING: Readonly<Record<string, readonly [Case, isProven: boolean, message: RegExp]>> = {
  'a name that does not exist': [
    { zone: {} },
    true,
    /^preflight failed, and no order was made: shop\.example\.com does not resolve: the name does not exist; add a record/,
  ],
  'a name without addresses': [
    { zone: { [`${NAME} A`]: {}, [`${NAME} AAAA`]: {} } },
    true,
    /does not resolve: it has no A or AAAA record; add a record/,
  ],
  'a zone whose servers fail': [
    { zone: { [`${NAME} A`]: { code: 2 }, [`${NAME} AAAA`]: { code: 2 } } },
    false,
    /DNS query for shop\.example\.com failed: ESERVFAIL; check the name servers/,
  ],
  'nothing listens': [
    {},
    false,
    /resolves to 127\.0\.0\.1; 127\.0\.0\.1:PORT is unreachable: connect ECONNREFUSED 127\.0\.0\.1:PORT; open the port/,
  ],
  'another web server': [
    { server: () => http((_, response) => response.writeHead(404, { server: 'nginx/1.26' }).end('no')) },
    true,
    /127\.0\.0\.1:PORT is another server: it answers the challenge with 404 \(Server: nginx\/1\.26\); point shop\.example\.com at/,
  ],
  'another server that answers everything with 200': [
    { server: () => http((_, response) => response.end('x'.repeat(100_000))) },
    true,
    /it answers the challenge with 200; point/,
  ],
  'a server that is not an HTTP server': [
    { server: () => createTcpServer((socket) => socket.on('error', () => undefined).end('220 mail ESMTP\r\n')) },
    true,
    /is another server: /,
  ],
  'a redirect to a port that CAs do not follow': [
    { server: redirecting(() => 'https://shop.example.com:9999/') },
    true,
    /it redirects to https:\/\/shop\.example\.com:9999\/; point/,
  ],
  'redirects without end': [{ server: redirecting((url) => url) }, true, /it redirects more than 10 times/],
  'another TLS server': [
    { server: tls(false), challenge: 'tls-alpn-01' },
    true,
    /it answers acme-tls\/1 with another certificate; point/,
  ],
  'a TLS server without acme-tls/1': [
    {
      server: () => createTlsServer(testCertificate(['other.test'])).on('tlsClientError', () => undefined),
      challenge: 'tls-alpn-01',
    },
    true,
    /is another server: it answers acme-tls\/1 with another certificate/,
  ],
  'a server without TLS for tls-alpn-01': [
    {
      server: () => createTcpServer((socket) => socket.on('error', () => undefined).end('220 mail')),
      challenge: 'tls-alpn-01',
    },
    true,
    /is another server: its handshake for acme-tls\/1 fails: /,
  ],
  'nothing listens for tls-alpn-01': [{ challenge: 'tls-alpn-01' }, false, /is unreachable: connect ECONNREFUSED/],
  'dns-01 without a zone': [
    { challenge: 'dns-01', zone: {} },
    true,
    /no zone of shop\.example\.com resolves: the name does not exist; register the domain/,
  ],
};

describe('preflight', () => {
  for (const [what, one] of Object.entries(PASSING)) {
    test(`passes: ${what}`, async (t) => assert.deepEqual(await outcomeOf(t, one), { message: '', isProven: true }));
  }
  for (const [what, [one, isProven, message]] of Object.entries(FAILING)) {
    test(`fails: ${what}`, async (t) => {
      const outcome = await outcomeOf(t, one);
      assert.match(outcome.message, message);
      assert.equal(outcome.isProven, isProven);
    });
  }
});
