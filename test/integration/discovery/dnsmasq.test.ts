// The source `dns` behind a real resolver, dnsmasq: answers change, fail and time out, and the resolver restarts, under 500
// requests a second without a failed one. Thread: main.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { userInfo } from 'node:os';
import { test, type TestContext } from 'node:test';
import { freePort } from '../../../scripts/peers/free-port.ts';
import { startAppsOnAddresses } from '../../support/app-server.ts';
import { startDnsServer } from '../../support/dns-server.ts';
import { eventually, startFairlead } from '../../support/fairlead.ts';
import { requirePeer } from '../../support/peers.ts';

const EVERY_MS = 2;

/** Sends requests at a fixed rate, whatever the answers take. */
function startLoad(t: TestContext, url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const answers = new Map<string, number>();
  const count = (answer: string): void => void answers.set(answer, (answers.get(answer) ?? 0) + 1);
  let open = 0;
  const send = (): void => {
    open++;
    const request = get(url, { agent }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => {
        open--;
        count(response.statusCode === 200 ? body : `status ${response.statusCode}`);
      });
    });
    request.on('error', (error) => {
      open--;
      count(error.message);
    });
  };
  const beganMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    for (; sent * EVERY_MS < performance.now() - beganMs; sent++) send();
  }, EVERY_MS);
  t.after(() => agent.destroy());
  const stop = async (): Promise<void> => {
    clearInterval(timer);
    await eventually(() => open === 0, 'every request has an answer');
  };
  return { answers, stop };
}

function startDnsmasq(t: TestContext, program: string, port: number, upstream: number): ChildProcess {
  const plain = ['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--cache-size=0'];
  const where = [`--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces', '--pid-file='];
  const args = [...plain, ...where, `--server=127.0.0.1#${upstream}`, `--user=${userInfo().username}`];
  const child = spawn(program, args, { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

test('no request fails while dnsmasq changes its answers, fails, answers nothing and restarts', async (t) => {
  const program = requirePeer(t, 'dnsmasq');
  if (program === undefined) return;
  const zone = await startDnsServer(t);
  const port = await freePort();
  let dnsmasq = startDnsmasq(t, program, port, zone.port);
  const appPort = await startAppsOnAddresses(t, ['127.0.0.1', '127.0.0.2', '127.0.0.3']);
  const answer = (...addresses: readonly string[]): void => {
    zone.zone.set('api.test A', { answers: addresses.map((address) => `api.test 0 A ${address}`) });
  };
  answer('127.0.0.1', '127.0.0.2');
  const source = `{ name: api.test, type: A, port: ${appPort}, minRefresh: 50ms, refresh: 300ms, resolvers: "127.0.0.1:${port}" }`;
  const fairlead = await startFairlead(
    t,
    `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: api }]
upstreams: { api: { discover: { dns: ${source} }, health: { heartbeat: false }, timeouts: { queue: 20s } } }
admin: { bind: "127.0.0.1:0" }
`,
  );
  const becomes = (state: string, cause: RegExp) =>
    eventually(async () => {
      const upstream = await (await fetch(`${fairlead.adminUrl}/api/v1/upstreams/api`)).json();
      const [view] = (upstream as { sources: { state: string; cause: string }[] }).sources;
      return view!.state === state && cause.test(view!.cause);
    }, `the source is ${state}: ${cause.source}`);
  const load = startLoad(t, fairlead.url);
  const uses = (...addresses: readonly string[]) => {
    const before = new Map(load.answers);
    return eventually(
      () => addresses.every((one) => (load.answers.get(one) ?? 0) > (before.get(one) ?? 0) + 5),
      `${addresses.join()} serve`,
    );
  };
  await becomes('current', /^$/);
  await uses('127.0.0.1', '127.0.0.2');
  answer('127.0.0.2', '127.0.0.3');
  await uses('127.0.0.2', '127.0.0.3');
  answer('127.0.0.3');
  await eventually(() => fairlead.plane.snapshot.upstreams[0]!.endpoints.length === 1, 'one address is left');

  zone.zone.delete('api.test A');
  await becomes('stale', /NXDOMAIN/);
  zone.zone.set('api.test A', { code: 2 });
  await becomes('stale', /SERVFAIL/);
  zone.zone.set('api.test A', 'silence');
  await becomes('stale', /doesn't answer within/);
  dnsmasq.kill('SIGKILL');
  await once(dnsmasq, 'exit');
  answer('127.0.0.1', '127.0.0.3');
  dnsmasq = startDnsmasq(t, program, port, zone.port);
  await becomes('current', /^$/);
  await uses('127.0.0.1', '127.0.0.3');
  await load.stop();
  assert.deepEqual([...load.answers.keys()].toSorted(), ['127.0.0.1', '127.0.0.2', '127.0.0.3']);
});
