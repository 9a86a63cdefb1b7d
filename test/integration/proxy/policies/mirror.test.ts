// Mirrored requests over sockets, on both HTTP/1.1 paths and HTTP/2: copies are complete, and a mirror that is slow, dead or
// killed under load costs no client anything. Thread: main.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:http2';
import { test, type TestContext } from 'node:test';
import { type AppServer, startApps } from '../../../support/app-server.ts';
import { eventually, PATHS, type RunningFairlead, startFairlead } from '../../../support/fairlead.ts';
import { RawClient, within } from '../../../support/raw-client.ts';

interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function configOf(isFast: boolean, [app, shadow]: readonly AppServer[]): string {
  return `
workers: 1
fastPath: ${isFast}
listeners: [{ name: web, bind: "127.0.0.1:0", http2: true }]
admin: { bind: "127.0.0.1:0" }
routes:
  - match: { path: /mirrored/ }
    upstream: app
    rewrite: { stripPrefix: /mirrored }
    requestHeaders: { set: { X-Set: "yes" }, remove: [X-Gone] }
    mirror: { to: shadow, maxBody: 300KiB, maxInFlight: 8 }
  - { upstream: app }
upstreams:
  app: { endpoints: ["http://${app!.address}"], health: { heartbeat: false } }
  shadow:
    endpoints: ["http://${shadow!.address}"]
    health: { heartbeat: false }
    requestHeaders: { set: { X-Mirrored: "yes" } }
shutdown: { grace: 60s }
`;
}

/** Lets a server record what it receives, and answer with its name. */
function recorded(app: AppServer): Received[] {
  const requests: Received[] = [];
  app.handler = (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      requests.push({ method: request.method!, url: request.url!, headers: request.headers, body });
      response.end(app.name);
    });
  };
  return requests;
}

async function metricOf({ adminUrl }: RunningFairlead, name: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`fairlead_upstream_mirrors_${name}`));
  assert.ok(line !== undefined, text);
  return Number(line.split(' ').at(-1));
}

async function openRequests({ adminUrl }: RunningFairlead): Promise<{ readonly total: number }> {
  return (await (await fetch(`${adminUrl}/api/v1/requests`)).json()) as { total: number };
}

const sent = (fairlead: RunningFairlead) => metricOf(fairlead, 'sent_total{upstream="shadow"}');
const failed = (fairlead: RunningFairlead) => metricOf(fairlead, 'failed_total{upstream="shadow"}');
const dropped = (fairlead: RunningFairlead, cause: string) =>
  metricOf(fairlead, `dropped_total{cause="${cause}",upstream="shadow"}`);

async function post(fairlead: RunningFairlead, body: string): Promise<string> {
  const headers = { 'x-own': '1', 'x-gone': '1' };
  const response = await fetch(`${fairlead.url}/mirrored/a?b=1`, { method: 'POST', body, headers });
  assert.equal(response.status, 200);
  return response.text();
}

async function postOverHttp2({ url }: RunningFairlead, body: string): Promise<string> {
  const session = connect(url);
  const stream = session.request({ ':method': 'POST', ':path': '/mirrored/a?b=1', 'x-own': '1', 'x-gone': '1' });
  stream.end(body);
  let answer = '';
  stream.on('data', (data: Buffer) => (answer += data.toString()));
  await within(once(stream, 'end'), 'the end of the response');
  session.destroy();
  return answer;
}

async function begin(t: TestContext, isFast: boolean) {
  const apps = await startApps(t, 2);
  const fairlead = await startFairlead(t, configOf(isFast, apps));
  return { app: apps[0]!, shadow: apps[1]!, fairlead };
}

for (const isFast of PATHS) {
  // size: the cases share one proxy, and each is a subtest
  test(`fastPath: ${isFast}`, async (t) => {
    const { app, shadow, fairlead } = await begin(t, isFast);

    for (const [protocol, send] of [
      ['HTTP/1.1', post],
      ['HTTP/2', postOverHttp2],
    ] as const) {
      await t.test(`a copy of a request over ${protocol} has what the endpoint gets`, async () => {
        const [own, copies] = [recorded(app), recorded(shadow)];
        assert.equal(await send(fairlead, 'hello'), app.name);
        await eventually(() => copies.length === 1, 'a copy');
        const { 'x-mirrored': mark, ...headers } = copies[0]!.headers;
        assert.equal(mark, 'yes');
        assert.deepEqual([copies[0]!.method, copies[0]!.url, copies[0]!.body], ['POST', '/a?b=1', 'hello']);
        assert.equal(headers['content-length'], '5');
        const { 'transfer-encoding': _, ...expected } = own[0]!.headers;
        assert.deepEqual(headers, { ...expected, 'content-length': '5' });
      });
    }

    await t.test('large bodies at the same time are copied byte by byte', async () => {
      const [own, copies] = [recorded(app), recorded(shadow)];
      const bodies = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(300_000));
      await Promise.all(bodies.flatMap((body, at) => (at % 2 === 0 ? post : postOverHttp2)(fairlead, body)));
      await eventually(() => copies.length === bodies.length, 'all copies');
      const received = (requests: readonly Received[]) => requests.map(({ body }) => body).toSorted();
      for (const requests of [own, copies]) assert.ok(received(requests).every((body, at) => body === bodies[at]));
    });

    await t.test('a body over the limit is not copied', async () => {
      const copies = recorded(shadow);
      const before = await dropped(fairlead, 'body_too_large');
      for (const send of [post, postOverHttp2]) assert.equal(await send(fairlead, 'x'.repeat(310_000)), app.name);
      assert.equal(await dropped(fairlead, 'body_too_large'), before + 2);
      assert.equal(copies.length, 0);
    });

    await t.test('a client that leaves within its upload is not copied', async () => {
      const client = await RawClient.connect({ port: fairlead.port });
      client.send('POST /mirrored/ HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc');
      await eventually(async () => (await openRequests(fairlead)).total === 1, 'the upload');
      client.reset();
      await eventually(async () => (await dropped(fairlead, 'unfinished')) === 1, 'the drop');
      const session = connect(fairlead.url);
      const stream = session.request({ ':method': 'POST', ':path': '/mirrored/' });
      stream.on('error', () => undefined);
      stream.write('abc');
      await eventually(async () => (await openRequests(fairlead)).total === 1, 'the upload over HTTP/2');
      session.destroy();
      await eventually(async () => (await dropped(fairlead, 'unfinished')) === 2, 'the drop over HTTP/2');
    });

    await t.test('a mirror that never answers costs clients nothing, and gets a bounded number of copies', async () => {
      let received = 0;
      shadow.handler = () => void received++;
      recorded(app);
      for (let count = 0; count < 20; count++) assert.equal(await post(fairlead, 'x'), app.name);
      assert.equal(await dropped(fairlead, 'busy'), 12);
      await eventually(() => received === 8, 'eight copies');
      assert.equal((await openRequests(fairlead)).total, 0);
    });

    await t.test('a mirror is killed under load and comes back', async () => {
      const copies = recorded(shadow);
      await shadow.kill();
      await shadow.start();
      const load = async (): Promise<void> => {
        for (let count = 0; count < 40; count++) assert.equal(await post(fairlead, 'x'), app.name);
      };
      const clients = [load(), load(), load()];
      await eventually(() => copies.length > 10, 'copies before the kill');
      await shadow.kill();
      await Promise.all(clients);
      await load();
      await eventually(async () => (await failed(fairlead)) > 8, 'failed copies');
      await shadow.start();
      copies.length = 0;
      await eventually(async () => {
        await post(fairlead, 'again');
        return copies.length > 0;
      }, 'a copy after the restart');
    });

    await t.test('a reload keeps copies in flight, and a drain does not wait for them', async () => {
      shadow.handler = () => undefined;
      const before = await sent(fairlead);
      assert.equal(await post(fairlead, 'x'), app.name);
      assert.equal(await sent(fairlead), before + 1);
      fairlead.rewrite(configOf(isFast, [app, shadow]).replace('maxInFlight: 8', 'maxInFlight: 1'));
      assert.ok((await fairlead.plane.reload()).ok);
      const busy = await dropped(fairlead, 'busy');
      assert.equal(await post(fairlead, 'x'), app.name);
      assert.equal(await dropped(fairlead, 'busy'), busy + 1);
      await within(fairlead.plane.close(), 'the end of the drain', 30_000);
    });
  });
}
