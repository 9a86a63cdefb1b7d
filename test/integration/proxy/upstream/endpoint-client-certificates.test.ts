// Endpoints that require a client certificate: requests on both paths, and heartbeats, present the one of the upstream.
// Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { testCertificate } from '../../../support/certificates.ts';
import { makeClientCertificates } from '../../../support/client-certificates.ts';
import { eventually, startFairlead } from '../../../support/fairlead.ts';

test('requests and heartbeats present the certificate of the upstream', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-endpoint-clients-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { ca, valid } = makeClientCertificates(folder);
  const { cert, key } = testCertificate(['origin.test']);
  writeFileSync(path.join(folder, 'origin.pem'), cert);
  const paths = new Set<string>();
  const origin = createServer(
    { cert, key, ca: [ca], requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      paths.add(request.url!);
      response.end((request.socket as TLSSocket).getPeerX509Certificate()?.subject);
    },
  );
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  t.after(() => origin.close());
  const url = `https://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  const verified = `ca: ${folder}/origin.pem, serverName: origin.test`;
  for (const isFast of [true, false]) {
    const fairlead = await startFairlead(
      t,
      `
workers: 1
fastPath: ${isFast}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ match: { path: /without }, upstream: without }, { upstream: with }]
upstreams:
  with:
    endpoints: ["${url}"]
    tls: { ${verified}, cert: "${valid[1]}", key: "${valid[3]}" }
    health: { heartbeat: { path: /healthz, interval: 100ms } }
  without: { endpoints: ["${url}"], tls: { ${verified} }, health: { heartbeat: false } }
`,
    );
    const response = await fetch(fairlead.url);
    assert.deepEqual([response.status, await response.text()], [200, String.raw`O=Example\, Inc` + '\nCN=app']);
    assert.equal((await fetch(`${fairlead.url}/without`)).status, 502);
    await eventually(() => paths.has('/healthz'), 'a heartbeat arrives');
    paths.clear();
    await fairlead.plane.close();
  }
});
