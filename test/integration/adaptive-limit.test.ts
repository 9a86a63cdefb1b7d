// Adaptive limits with real endpoints, sockets and worker threads, on both paths. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { E_LIMIT } from '../../core/memory/layout.ts';
import { type AppServer, startApps } from '../support/app-server.ts';
import { sendMany } from '../support/client.ts';
import { eventually, PATHS, startFairlead } from '../support/fairlead.ts';

const config = (app: AppServer, fastPath: boolean): string => `
workers: 2
fastPath: ${fastPath}
listeners: [{ name: web, bind: "127.0.0.1:0" }]
admin: { bind: "127.0.0.1:0" }
routes: [{ upstream: app }]
upstreams:
  app:
    endpoints: ["http://${app.address}"]
    limits: { concurrency: auto, maxQueue: 1000 }
    timeouts: { queue: 10s, response: 30s }
`;

/** A server that processes `places` requests at a time, each for 5 ms, and queues the others. */
function servePlaces(app: AppServer, places: number): { most: number } {
  const seen = { now: 0, most: 0 };
  const waiting: (() => void)[] = [];
  let busy = 0;
  const next = (): void => {
    while (busy < places && waiting.length > 0) {
      busy++;
      const answer = waiting.shift()!;
      setTimeout(() => {
        busy--;
        answer();
        next();
      }, 5);
    }
  };
  app.handler = (request, response) => {
    request.resume();
    seen.most = Math.max(seen.most, ++seen.now);
    waiting.push(() => {
      seen.now--;
      response.end(app.name);
    });
    next();
  };
  return seen;
}

describe('concurrency: auto', () => {
  for (const fastPath of PATHS) {
    test(`finds about the concurrency of the endpoint, ${fastPath ? 'fast' : 'general'} path`, async (t) => {
      const [app] = (await startApps(t, 1)) as [AppServer];
      const seen = servePlaces(app, 3);
      const fairlead = await startFairlead(t, config(app, fastPath));
      const { region } = fairlead.plane;
      const limit = (): number => region.words[region.endpointWord(0) + E_LIMIT]!;
      assert.equal(limit(), 20);
      const stop = new AbortController();
      const load = sendMany(fairlead.port, { connections: 60, signal: stop.signal });
      await eventually(() => limit() <= 14, 'the limit falls from where it began to what the endpoint can take');
      seen.most = 0;
      await eventually(() => seen.most > 0, 'requests go on');
      const answer = await fetch(`${fairlead.adminUrl}/api/v1/endpoints/app/${app.address}`);
      const said = (await answer.json()) as { limit: { inFlight: number; adaptive: { p50Ms: number } } };
      stop.abort();
      const { statuses, errors } = await load;
      assert.deepEqual([...statuses.keys()], [200], 'who waits is served');
      assert.equal(errors.size, 0);
      assert.ok(said.limit.inFlight > 0 && said.limit.inFlight < 60 && said.limit.adaptive.p50Ms > 4);
    });
  }

  test('does not limit an endpoint that is as fast with many requests as with few', async (t) => {
    const [app] = (await startApps(t, 1)) as [AppServer];
    app.handler = (request, response) => {
      request.resume();
      setTimeout(() => response.end(app.name), 20);
    };
    const fairlead = await startFairlead(t, config(app, true));
    const { region } = fairlead.plane;
    const stop = new AbortController();
    const load = sendMany(fairlead.port, { connections: 60, signal: stop.signal });
    await eventually(() => region.words[region.endpointWord(0) + E_LIMIT]! >= 60, 'the limit grows past what comes');
    stop.abort();
    assert.deepEqual([...(await load).statuses.keys()], [200]);
  });
});
