// No spelling of a guarded prefix reaches an endpoint through another route: HTTP/1.1 on both paths, and HTTP/2.
// Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { AppServer } from '../../../support/app-server.ts';
import { PATHS, startFairlead } from '../../../support/fairlead.ts';
import { MALFORMED, readAsAdmin, SPELLINGS } from '../../../support/guarded-path.ts';
import { talk } from '../../../support/wire.ts';
import { endWithTest } from '../../../support/http2-session.ts';

const CERTIFICATES = join(import.meta.dirname, '../../../unit/config/certificates');

/** Guards by naming the prefix, and by naming all others, on a host each. */
const ROUTES = `
routes:
  - { match: { host: deny.test, path: /admin }, respond: { status: 403 } }
  - { match: { host: deny.test }, upstream: app }
  - { match: { host: allow.test, path: /public }, upstream: app }
  - { match: { host: allow.test, path: { exact: / } }, upstream: app }
  - { match: { host: allow.test }, respond: { status: 403 } }
`;

interface Bench {
  readonly port: number;
  readonly tlsPort: number;
  /** Targets that the endpoint received, and the status of the last response. */
  readonly received: string[];
}

async function start(t: TestContext, fastPath: boolean): Promise<Bench> {
  const received: string[] = [];
  const app = new AppServer('app');
  app.handler = (request, response) => {
    received.push(request.url ?? '');
    response.end('ok');
  };
  await app.start();
  t.after(() => app.kill());
  const certificate = `${CERTIFICATES}/api.example.com`;
  const fairlead = await startFairlead(
    t,
    `
workers: 1
fastPath: ${fastPath}
listeners:
  - { name: web, bind: "127.0.0.1:0" }
  - { name: tls, bind: "127.0.0.1:0", tls: { certificates: [{ cert: ${certificate}.pem, key: ${certificate}.key }] } }
${ROUTES}
upstreams: { app: { endpoints: ["http://${app.address}"], health: { heartbeat: false } } }
`,
  );
  return { port: fairlead.port, tlsPort: fairlead.plane.bound[1]!.port!, received };
}

/** Asserts that no server would serve any received target as /admin. */
function assertGuarded(received: readonly string[]): void {
  for (const target of received) assert.deepEqual(readAsAdmin(target), [], `the endpoint received ${target}`);
}

const HOSTS = ['deny.test', 'allow.test'];

for (const fastPath of PATHS) {
  describe(`a guarded prefix, fastPath: ${fastPath}`, () => {
    test('is passed by no spelling over HTTP/1.1', async (t) => {
      const { port, received } = await start(t, fastPath);
      for (const host of HOSTS) {
        for (const target of [...SPELLINGS, ...MALFORMED]) {
          const { text } = await talk(port, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
          const status = Number(text.slice(9, 12));
          assert.ok([200, 400, 403].includes(status), `${target}: ${text}`);
          if (MALFORMED.includes(target)) assert.equal(status, 400, target);
          const absolute = `http://${host}${target}`;
          await talk(port, `GET ${absolute} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
        }
      }
      assertGuarded(received);
      assert.ok(received.includes('/public'), 'paths that dot segments lead out of the prefix are served');
    });

    test('is passed by no spelling over HTTP/2', async (t) => {
      const { tlsPort, received } = await start(t, fastPath);
      const session = connectHttp2(`https://127.0.0.1:${tlsPort}`, { rejectUnauthorized: false });
      endWithTest(t, session);
      for (const host of HOSTS) {
        for (const target of [...SPELLINGS, ...MALFORMED]) {
          const stream = session.request({ ':path': target, ':authority': host });
          stream.on('error', () => undefined);
          stream.resume();
          await once(stream, 'close').catch(() => undefined);
          assert.equal(session.closed || session.destroyed, false, `the connection ended after ${target}`);
        }
      }
      assertGuarded(received);
      assert.ok(received.includes('/public'), 'paths that dot segments lead out of the prefix are served');
    });
  });
}
