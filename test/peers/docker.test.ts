// The source and the provider `docker` with the Docker-compatible socket of a real Podman, under load: no request fails while
// containers start, are killed, stopped, unhealthy and removed, and while the socket is closed. Thread: main.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { eventually, startFairlead } from '../support/fairlead.ts';
import { requirePeer } from '../support/peers.ts';
import { PodmanEngine } from '../support/podman.ts';

/** Sends requests until it is stopped, and returns the distinct answers. */
function load(t: TestContext, url: string): () => Promise<string[]> {
  const answers = new Set<string>();
  const end = new AbortController();
  t.after(() => end.abort());
  const client = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const answer = await fetch(url).then(
        async (response) => (response.ok ? response.text() : `status ${response.status}`),
        (error: unknown) => String(error),
      );
      answers.add(answer);
      await new Promise((resolve) => void setTimeout(resolve, 10));
    }
  };
  const running = client();
  return async () => {
    end.abort();
    await running;
    return [...answers].toSorted();
  };
}

function yamlFor(upstream: string, { socket }: PodmanEngine): string {
  return `
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: ${upstream} }]
workers: 1
upstreams:
  ${upstream}:
    discover: { docker: { address: "unix:${socket}" } }
    health: { heartbeat: false }
    timeouts: { queue: 20s }
`;
}

/** A health check that the test runs itself. */
const CHECKED = '--health-cmd|CMD-SHELL test ! -e /tmp/bad|--health-interval|disable|--health-retries|1'.split('|');

test('containers of Podman are followed without a failed request, whatever happens to them', async (t) => {
  const podman = requirePeer(t, 'podman');
  const busybox = podman && requirePeer(t, 'busybox');
  if (podman === undefined || busybox === undefined) return;
  const engine = await PodmanEngine.start(t, podman, busybox);
  const label = `fairlead.upstream=api-${process.pid}`;
  const ports = new Map([['a', await engine.serve('a', label)]]);
  const fairlead = await startFairlead(t, yamlFor(`api-${process.pid}`, engine));
  const until = (names: string, what: string): Promise<void> => {
    const expected = names
      .split('')
      .map((name) => `127.0.0.1:${ports.get(name)!}`)
      .toSorted();
    const ids = () => fairlead.plane.snapshot.upstreams[0]!.endpoints.map(({ id }) => id).toSorted();
    return eventually(() => ids().join() === expected.join(), what);
  };
  await until('a', 'the first container serves');
  await eventually(async () => (await fetch(fairlead.url)).ok, 'it answers');
  const stop = load(t, fairlead.url);
  ports.set('b', await engine.serve('b', label));
  await until('ab', 'scaled up');
  ports.set('c', await engine.serve('c', label, ...CHECKED));
  await engine.command(['healthcheck', 'run'], 'c');
  await until('abc', 'the health check passes');
  await engine.command(['kill'], 'a');
  await until('bc', 'killed');
  await engine.command(['exec'], 'c', 'touch', '/tmp/bad');
  await engine.command(['healthcheck', 'run'], 'c').catch(() => undefined);
  await until('b', 'unhealthy');
  await engine.command(['exec'], 'c', 'rm', '/tmp/bad');
  await engine.command(['healthcheck', 'run'], 'c');
  await until('bc', 'healthy again');
  engine.close();
  await eventually(
    () => fairlead.log.some(({ text }) => text.includes('source docker of upstream')),
    'the socket fails',
  );
  await until('bc', 'the last good set is kept');
  await engine.open();
  await engine.command(['stop', '-t', '0'], 'b');
  await until('c', 'changes are followed again');
  assert.deepEqual(await stop(), ['a', 'b', 'c']);
});

test('labels of containers of Podman are routes, which scale and end with them, without a failed request', async (t) => {
  const podman = requirePeer(t, 'podman');
  const busybox = podman && requirePeer(t, 'busybox');
  if (podman === undefined || busybox === undefined) return;
  const engine = await PodmanEngine.start(t, podman, busybox);
  // Containers of other tests may run on the engine: the path belongs to this one.
  const prefix = `/routes-${process.pid}`;
  const route = ['--label', `fairlead.path=${prefix}`, '--label', `fairlead.strip-prefix=${prefix}`];
  const serve = (name: string, ...flags: string[]) =>
    engine.serve(name, `fairlead.upstream=routes-${process.pid}`, ...route, ...flags);
  const fairlead = await startFairlead(
    t,
    `
listeners: [{ name: web, bind: "127.0.0.1:0" }]
providers: { docker: { address: "unix:${engine.socket}" } }
workers: 1
`,
  );
  const url = `${fairlead.url}${prefix}/`;
  const statusIs = (status: number, what: string): Promise<void> =>
    eventually(async () => (await fetch(url)).status === status, what);
  const until = (count: number, what: string): Promise<void> =>
    eventually(() => {
      const found = fairlead.plane.snapshot.upstreams.find(({ name }) => name === `routes-${process.pid}`);
      return found?.endpoints.length === count;
    }, what);
  await statusIs(404, 'there is no route before a container');
  await serve('a');
  await statusIs(200, 'the route begins with the first container');
  const stop = load(t, url);
  await serve('b', ...CHECKED);
  await engine.command(['healthcheck', 'run'], 'b');
  await until(2, 'scaled up by a healthy replica');
  const { revision } = fairlead.plane.snapshot;
  await engine.command(['exec'], 'b', 'touch', '/tmp/bad');
  await engine.command(['healthcheck', 'run'], 'b').catch(() => undefined);
  await until(1, 'unhealthy');
  await engine.command(['exec'], 'b', 'rm', '/tmp/bad');
  await engine.command(['healthcheck', 'run'], 'b');
  await until(2, 'healthy again');
  assert.equal(fairlead.plane.snapshot.revision, revision, 'endpoints change without a reload');
  // A reload may follow: the route has the name of its first container.
  await engine.command(['stop', '-t', '0'], 'a');
  await until(1, 'one is stopped');
  assert.deepEqual(await stop(), ['a', 'b']);
  await engine.command(['stop', '-t', '0'], 'b');
  await statusIs(404, 'the route ends with the last container');
});
