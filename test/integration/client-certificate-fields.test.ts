// Facts about a client's certificate as fields of requests, by HTTP/1.1 and HTTP/2 on both paths; clients can't forge them.
// Thread: main.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { testCertificate } from '../support/certificates.ts';
import { makeClientCertificates } from '../support/client-certificates.ts';
import { startFairlead } from '../support/fairlead.ts';

const FORGED = ['client-cert: :AAAA:', 'x-ssl-client-verify: SUCCESS', 'x-client-cert-subject: CN=admin'];

for (const isFast of [true, false]) {
  test(`fields of client certificates, ${isFast ? 'fast' : 'general'} path`, async (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-client-fields-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const { ca, valid } = makeClientCertificates(folder);
    const { cert, key } = testCertificate(['shop.test']);
    for (const [name, text] of Object.entries({ 'clients.pem': ca, 'cert.pem': cert, 'key.pem': key })) {
      writeFileSync(path.join(folder, name), text, { mode: 0o600 });
    }
    const origin = createServer((request, response) => response.end(JSON.stringify(request.headers)));
    origin.listen(0, '127.0.0.1');
    await once(origin, 'listening');
    t.after(() => origin.close());
    const { port } = await startFairlead(
      t,
      `
workers: 1
fastPath: ${isFast}
listeners:
  - name: web
    bind: "127.0.0.1:0"
    tls:
      certificates: [{ cert: ${folder}/cert.pem, key: ${folder}/key.pem }]
      clientAuth: optional
      clientCa: ${folder}/clients.pem
routes:
  - upstream: app
    requestHeaders:
      set:
        Client-Cert: "{tls.client.certificate}"
        X-Subject: "{tls.client.subject}"
        X-Names: "{tls.client.san}"
        X-Fingerprint: "{tls.client.fingerprint}"
upstreams:
  app: { endpoints: ["http://127.0.0.1:${(origin.address() as AddressInfo).port}"], health: { heartbeat: false } }
`,
    );
    const receivedBy = async (...args: string[]): Promise<Record<string, string>> => {
      const forged = FORGED.flatMap((field) => ['-H', field]);
      const url = `https://127.0.0.1:${port}/`;
      const { stdout } = await promisify(execFile)('curl', ['-sSk', '--max-time', '20', ...forged, ...args, url]);
      return JSON.parse(stdout) as Record<string, string>;
    };
    for (const version of ['--http1.1', '--http2']) {
      const known = await receivedBy(version, '--cert', valid[1]!, '--key', valid[3]!);
      assert.equal(known['x-subject'], String.raw`O=Example\, Inc,CN=app`);
      assert.equal(known['x-names'], 'DNS:app.test, URI:spiffe://example.test/app');
      assert.match(known['x-fingerprint']!, /^[0-9a-f]{64}$/);
      assert.match(known['client-cert']!, /^:MII[\w+/=]+:$/);
      const unknown = await receivedBy(version);
      for (const received of [known, unknown]) {
        assert.deepEqual([received['x-ssl-client-verify'], received['x-client-cert-subject']], [undefined, undefined]);
      }
      assert.deepEqual([unknown['client-cert'], unknown['x-subject']], [undefined, undefined]);
    }
  });
}
