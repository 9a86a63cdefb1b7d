// An endpoint whose TLS fails: the log says why, for live traffic and for heartbeats, and what to do. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createServer } from 'node:tls';
import { testCertificate } from '../../../support/certificates.ts';
import { eventually, startFairlead } from '../../../support/fairlead.ts';

test('the log names the cause of failed TLS with an endpoint, and the next step', async (t) => {
  const server = createServer(testCertificate(['other.test'])).on('tlsClientError', () => undefined);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { url, adminUrl, log } = await startFairlead(
    t,
    `
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes:
  - { match: { path: /live }, upstream: live }
  - { upstream: checked }
upstreams:
  live: { endpoints: ["https://127.0.0.1:${port}"] }
  checked: { endpoints: ["https://127.0.0.1:${port}"], health: { heartbeat: { path: / } } }
admin: { bind: "127.0.0.1:0" }
`,
  );
  const cause = 'its certificate is self-signed: name it in tls.ca';
  const has = (text: string): boolean => log.some((line) => line.text.startsWith(text));
  const checked = `endpoint checked/127.0.0.1:${port} is down: heartbeat GET /: TLS failed: ${cause}`;
  await eventually(() => has(checked), 'a line of the heartbeat');
  assert.equal((await fetch(`${url}/live`)).status, 502);
  const live = `endpoint live/127.0.0.1:${port} cannot be reached over TLS: ${cause}`;
  await eventually(() => has(live), 'a line of live traffic');
  const metrics = await (await fetch(`${adminUrl}/metrics?scope=endpoint`)).text();
  assert.match(metrics, /^fairlead_endpoint_failures_total\{(?=.*kind="connect")(?=.*upstream="live").*\} [1-9]/m);
});
