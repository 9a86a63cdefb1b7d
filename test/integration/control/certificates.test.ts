// Certificates from a real CA (Pebble), by a complete Fairlead: HTTP-01 in front of redirects and policies, TLS-ALPN-01,
// names from routes, files of the storage. Thread: main.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, type PeerCertificate } from 'node:tls';
import { eventually, type RunningFairlead, startFairlead } from '../../support/fairlead.ts';
import { findPeer } from '../../support/peers.ts';
import { freePorts } from '../../../scripts/peers/free-port.ts';
import { Pebble } from '../../support/pebble.ts';

/** With CI=true a missing program fails the tests. */
const isMissing = findPeer('pebble') === undefined && process.env['CI'] === undefined;

let pebble: Pebble;
let root: string;
let [httpPort, tlsPort] = [0, 0];

/** The certificate that a client gets for a name, verified by Pebble's root; null where it isn't valid. */
function certificateFor(name: string, port = tlsPort): Promise<PeerCertificate | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, servername: name, ca: root }, () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    });
    socket.on('error', () => resolve(null));
  });
}

/** The error with which a handshake for a name fails. */
function alertFor(name: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: tlsPort, servername: name, rejectUnauthorized: false }, () => {
      resolve('the handshake succeeds');
      socket.destroy();
    });
    socket.on('error', ({ message }) => resolve(message));
  });
}

/** Waits for a certificate; fails at once where the CA refuses it. */
async function untilIssued({ log }: RunningFairlead, name: string): Promise<PeerCertificate> {
  let found: PeerCertificate | null = null;
  await eventually(async () => {
    assert.deepEqual(
      log.filter(({ level }) => level === 'error').map(({ text }) => text),
      [],
    );
    return (found = await certificateFor(name)) !== null;
  }, `certificate for ${name}`);
  return found!;
}

function yaml(acme: string, routes: string, plain = 'redirectToHttps: true'): string {
  return `
workers: 2
listeners:
  - { name: plain, bind: 127.0.0.1:${httpPort}, ${plain} }
  - name: web
    bind: 127.0.0.1:${tlsPort}
    tls:
      acme:
        { email: ops@example.com, directory: "${pebble.directory}", ca: ${pebble.trustedFile}, ${acme},
          preflight: ${JSON.stringify(pebble.preflight)} }
routes:
${routes}
`;
}

describe('certificates from a CA', { skip: isMissing && 'pebble is not installed (scripts/install-peers.sh)' }, () => {
  before(async () => {
    [httpPort = 0, tlsPort = 0] = await freePorts(2);
    pebble = await Pebble.start({ httpPort, tlsPort, chaos: { PEBBLE_WFE_NONCEREJECT: '50' } });
    root = await pebble.root();
  });

  after(() => pebble.stop());

  test('HTTP-01 for the hosts of routes, ahead of redirects and address rules, although half of all nonces are refused', async (t) => {
    const routes = `
  - { match: { host: a.example.com, path: /.well-known/ }, deny: [127.0.0.1], respond: { status: 403 } }
  - { match: { host: [b.example.com, "*.c.example.com"] }, respond: { status: 200 } }
  - { match: { host: d.example.com, listener: plain }, respond: { status: 200 } }
  - { match: { host: localhost }, respond: { status: 200 } }`;
    const fairlead = await startFairlead(t, yaml('challenge: http-01', routes));
    const first = await untilIssued(fairlead, 'a.example.com');
    const second = await untilIssued(fairlead, 'b.example.com');
    assert.match(first.issuer.CN as string, /^Pebble/);
    assert.notEqual(first.serialNumber, second.serialNumber, 'each name has a certificate of its own');

    const storage = join(fairlead.folder, 'acme');
    const [ca = ''] = readdirSync(join(storage, 'certificates'));
    const files = readdirSync(join(storage, 'certificates', ca)).toSorted();
    const expected = ['a', 'b'].flatMap((name) => [`${name}.example.com.json`, `${name}.example.com.pem`]);
    await eventually(
      () => readdirSync(join(storage, 'certificates', ca)).length === 4,
      `files other than ${files.join(' ')}`,
    );
    assert.deepEqual(readdirSync(join(storage, 'certificates', ca)).toSorted(), expected);
    for (const file of expected) assert.equal(statSync(join(storage, 'certificates', ca, file)).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(join(storage, 'challenges', 'http-01')), [], 'no answer is left');
  });

  test('TLS-ALPN-01 with an RSA key; connections that validate carry no requests', async (t) => {
    const acme = 'domains: [e.example.com], challenge: tls-alpn-01, keyType: rsa';
    const fairlead = await startFairlead(t, yaml(acme, '  - { respond: { status: 200 } }'));
    const certificate = await untilIssued(fairlead, 'e.example.com');
    assert.equal(certificate.bits, 2048);
    const [ca = ''] = readdirSync(join(fairlead.folder, 'acme', 'certificates'));
    const pem = readFileSync(join(fairlead.folder, 'acme', 'certificates', ca, 'e.example.com.rsa.pem'), 'utf8');
    assert.match(pem, /^-----BEGIN PRIVATE KEY-----[\s\S]+-----BEGIN CERTIFICATE-----/);
  });

  test('a certificate on demand: handshakes of one name share one order, refused names get an alert, a restart orders nothing', async (t) => {
    const asked: string[] = [];
    const application = createServer((request, response) => {
      const name = new URL(request.url!, 'http://app.test').searchParams.get('domain')!;
      asked.push(name);
      response.writeHead(name.startsWith('permitted.') ? 200 : 403).end();
    });
    await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
    t.after(() => application.close());
    const { port } = application.address() as AddressInfo;
    const ask = `http://127.0.0.1:${port}/may-issue?key=1`;
    const storage = mkdtempSync(join(tmpdir(), 'fairlead-on-demand-'));
    t.after(() => rmSync(storage, { recursive: true, force: true }));
    const acme = `challenge: http-01, storage: ${storage}, onDemand: { ask: "${ask}", wait: 30s }`;
    const text = `${yaml(acme, '  - { respond: { status: 200 } }')}admin: { bind: 127.0.0.1:0 }\n`;
    const fairlead = await startFairlead(t, text);
    const orders = () => fairlead.log.filter(({ text }) => text.endsWith('is being ordered')).length;

    const handshakes = Array.from({ length: 8 }, () => certificateFor('permitted.example.com'));
    const found = await Promise.all(handshakes);
    assert.deepEqual(new Set(found.map((one) => one?.subjectaltname)), new Set(['DNS:permitted.example.com']));
    assert.equal(orders(), 1);
    assert.deepEqual(asked, ['permitted.example.com']);

    assert.match(await alertFor('refused.example.com'), /unrecognized name/i);
    assert.match(await alertFor('refused.example.com'), /unrecognized name/i);
    assert.deepEqual(asked.slice(1), ['refused.example.com'], 'the refusal is remembered by all workers');
    for (const impossible of ['localhost', '../example.com', '*.example.com']) {
      assert.match(await alertFor(impossible), /unrecognized name/i);
    }
    assert.equal(asked.length, 2, 'nobody is asked about names that no CA certifies');
    const list = await (await fetch(`${fairlead.adminUrl}/api/v1/certificates`)).json();
    const rows = (list as { certificates: { names: string[]; listener: string; state: string }[] }).certificates;
    assert.deepEqual(
      rows.map(({ names, listener, state }) => [names, listener, state]),
      [[['permitted.example.com'], 'web', 'in-use']],
    );

    await fairlead.plane.close();
    const next = await startFairlead(t, text);
    assert.equal((await certificateFor('permitted.example.com'))?.serialNumber, found[0]!.serialNumber);
    assert.ok(next.log.every(({ text }) => !text.includes('is being ordered')));
    assert.equal(asked.length, 3, 'the application decides again');
  });
});
