// Agent feedback and adaptive limits from end to end: real workers, sockets and timers. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AppServer, startApps } from '../../support/app-server.ts';
import { sendMany } from '../../support/client.ts';
import { eventually, type RunningFairlead, startFairlead } from '../../support/fairlead.ts';

const config = (apps: readonly AppServer[], more: string): string => `
workers: 2
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams:
  app:
    balance: round-robin
    endpoints: [${apps.map((app) => `"http://${app.address}"`).join(', ')}]
    ${more}
admin: { bind: "127.0.0.1:0" }
`;

interface Why {
  readonly availability: string;
  readonly detector: string;
  readonly cause: string;
  readonly weightShare: number;
  readonly warming: { readonly percent: number } | null;
}

async function why(fairlead: RunningFairlead, app: AppServer): Promise<Why> {
  const answer = await fetch(`${fairlead.adminUrl}/api/v1/endpoints/app/${app.address}/why`);
  return (await answer.json()) as Why;
}

/** Makes an app server say this in each answer to a heartbeat. */
function say(app: AppServer, words: string): void {
  app.handler = (request, response) => {
    request.resume();
    if (request.url === '/agent') response.setHeader('X-Fairlead-Agent', words);
    response.end(app.name);
  };
}

describe('an endpoint', () => {
  test('that fails half of its requests, but never five in a row, is found to be an outlier', async (t) => {
    const apps = await startApps(t, 3);
    let count = 0;
    apps[1]!.handler = (request, response) => {
      request.resume();
      response.writeHead(count++ % 2 === 0 ? 500 : 200).end();
    };
    const outliers = 'outliers: { interval: 200ms, minRequests: 20 }';
    const fairlead = await startFairlead(t, config(apps, `health: { heartbeat: false, passive: { ${outliers} } }`));
    const stop = new AbortController();
    const load = sendMany(fairlead.port, { connections: 8, signal: stop.signal });
    await eventually(async () => (await why(fairlead, apps[1]!)).availability === 'ejected', 'it is ejected');
    stop.abort();
    await load;
    const { detector, cause } = await why(fairlead, apps[1]!);
    assert.equal(detector, 'outlierTest');
    assert.match(cause, /^\d+ % of its \d+ requests failed, [\d.]+ % of the others'$/);
    assert.notEqual((await why(fairlead, apps[0]!)).availability, 'ejected');
  });

  test('reports its own weight and state, which apply', async (t) => {
    const apps = await startApps(t, 2);
    for (const app of apps) say(app, 'ready');
    const intervals = 'interval: 50ms, fastInterval: 50ms, downInterval: 50ms';
    const heartbeat = `heartbeat: { path: /agent, ${intervals}, agent: true }`;
    const fairlead = await startFairlead(t, config(apps, `slowStart: 60s\n    health: { ${heartbeat} }`));
    say(apps[0]!, 'drain');
    await eventually(async () => (await why(fairlead, apps[0]!)).availability === 'drain', 'it is drained');
    let answered = '';
    const outcome = await sendMany(fairlead.port, {
      connections: 1,
      requests: 20,
      onBody: (_, body) => (answered += body),
    });
    assert.deepEqual([answered, [...outcome.errors]], ['b'.repeat(20), []]);
    say(apps[0]!, 'ready stopped #deploy');
    await eventually(async () => (await why(fairlead, apps[0]!)).availability === 'down', 'it is down');
    assert.equal((await why(fairlead, apps[0]!)).cause, 'its agent says stopped #deploy');
    say(apps[0]!, 'up');
    await eventually(async () => (await why(fairlead, apps[0]!)).availability === 'up', 'it is up');
    const { warming, weightShare } = await why(fairlead, apps[0]!);
    assert.ok(warming!.percent < 50 && weightShare < 0.5, 'and warms up');
    answered = '';
    await sendMany(fairlead.port, { connections: 1, requests: 100, onBody: (_, body) => (answered += body) });
    const share = answered.split('a').length - 1;
    assert.ok(share > 0 && share < 40, `${share} of 100`);
  });
});
