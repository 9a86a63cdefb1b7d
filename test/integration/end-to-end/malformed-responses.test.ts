// An endpoint that sends what is no HTTP response: the client gets 502, the connection to the endpoint is destroyed, and
// outlier detection counts it, on both paths. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AVAILABILITY } from '../../../core/availability.ts';
import { ENDPOINT } from '../../../core/memory/layout.ts';
import { startApps } from '../../support/app-server.ts';
import { eventually, PATHS, startFairlead } from '../../support/fairlead.ts';
import { bodyRead, hang, ScriptedOrigin, send } from '../../support/scripted-origin.ts';
import { talk } from '../../support/wire.ts';

const MALFORMED: readonly (readonly [name: string, bytes: string])[] = [
  ['two Content-Lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  [
    'Content-Length with Transfer-Encoding',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
  ],
  ['a line that ends with LF alone', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n'],
];
/** Of `consecutiveFailures` in the configuration below. */
const LIMIT = 3;

for (const fastPath of PATHS) {
  describe(`a malformed response, fastPath: ${fastPath}`, () => {
    for (const [name, bytes] of MALFORMED) {
      test(`(${name}) is 502, its connection ends, and the endpoint is ejected for it`, async (t) => {
        const bad = await ScriptedOrigin.listen();
        t.after(() => bad.close());
        bad.otherwise = [bodyRead(), send(bytes), hang()];
        const [good] = await startApps(t, 1);
        const fairlead = await startFairlead(
          t,
          `
workers: 1
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams:
  app:
    balance: round-robin
    endpoints: ["http://127.0.0.1:${bad.port}", "http://${good!.address}"]
    retry: { attempts: 0 }
    health: { heartbeat: false, passive: { consecutiveFailures: ${LIMIT}, outliers: false, ejection: { base: 60s } } }
`,
        );
        const { region } = fairlead.plane;
        const isEjected = (): boolean =>
          region.words[region.endpointWord(0) + ENDPOINT.availability.index] === AVAILABILITY.ejected;
        let refused = 0;
        // After the first failure it is suspect, and gets a request now and then.
        await eventually(async () => {
          const { text } = await talk(fairlead.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
          assert.match(text, /^HTTP\/1\.1 (?:200|502) /);
          if (text.startsWith('HTTP/1.1 502 ')) refused += 1;
          return isEjected();
        }, 'the endpoint is ejected');
        assert.ok(refused >= LIMIT);
        assert.equal(bad.connections.length, refused, 'no connection is used again');
        for (const { gone } of bad.connections) await gone;
      });
    }
  });
}
