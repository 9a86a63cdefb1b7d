// The source `kubernetes` in a complete Fairlead, over TLS with a client certificate: pods come and go under load without
// a lost request. Thread: main.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { AppServer } from '../../support/app-server.ts';
import { testCertificate } from '../../support/certificates.ts';
import { eventually, startFairlead } from '../../support/fairlead.ts';
import { kubeconfigFor, startKubernetes } from '../../support/kubernetes-api.ts';

const HOSTS = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];

/** Servers on one port of several addresses. */
async function startApps(t: TestContext): Promise<readonly AppServer[]> {
  const apps = HOSTS.map((host) => new AppServer(host));
  await apps[0]!.start();
  for (const [at, app] of apps.entries()) if (at > 0) await app.startAt(HOSTS[at]!, apps[0]!.port);
  t.after(() => Promise.all(apps.map((app) => app.kill())));
  return apps;
}

/** Sends requests until it is stopped, and counts answers. */
function load(url: string) {
  const answers = new Map<string, number>();
  const end = new AbortController();
  const send = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const body = await fetch(url).then(
        async (response) => (response.ok ? await response.text() : `${response.status}`),
        String,
      );
      answers.set(body, (answers.get(body) ?? 0) + 1);
    }
  };
  const clients = [send(), send(), send()];
  const stop = async (): Promise<void> => {
    end.abort();
    await Promise.all(clients);
  };
  return { answers, stop };
}

test('endpoints of a service change under load without a lost request', async (t) => {
  const apps = await startApps(t);
  const server = testCertificate(['kubernetes.test']);
  const client = testCertificate(['fairlead.test']);
  const tls = { cert: server.cert, key: server.key, ca: client.cert };
  const api = await startKubernetes(t, { tokens: new Set(), tls });
  const pods = (...addresses: readonly string[]): void => {
    api.apply('endpointslices', {
      metadata: { name: 'app-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'app' } },
      addressType: 'IPv4',
      ports: [{ name: '', port: apps[0]!.port, protocol: 'TCP' }],
      endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true }, zone: 'eu-1a' })),
    });
  };
  pods('127.0.0.1');
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const user = { 'client-certificate-data': base64(client.cert), 'client-key-data': base64(client.key) };
  const cluster = { 'certificate-authority-data': base64(server.cert), 'tls-server-name': 'kubernetes.test' };
  const yaml = `
workers: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
routes: [{ upstream: app }]
upstreams: { app: { discover: { kubernetes: { service: app, kubeconfig: kube.json } }, health: { heartbeat: false } } }
`;
  const fairlead = await startFairlead(t, yaml, { 'kube.json': kubeconfigFor(api.url, user, cluster) });
  const endpoints = () => fairlead.plane.snapshot.upstreams[0]!.endpoints;
  const { answers, stop } = load(fairlead.url);
  for (const set of [['127.0.0.1'], ['127.0.0.2', '127.0.0.3'], ['127.0.0.1', '127.0.0.3'], ['127.0.0.2']]) {
    pods(...set);
    const isKnown = (): boolean =>
      endpoints()
        .map(({ host }) => host)
        .join() === set.join();
    await eventually(isKnown, `the set is ${set.join()}`);
    const before = new Map(answers);
    const isUsed = (one: string): boolean => (answers.get(one) ?? 0) > (before.get(one) ?? 0) + 2;
    await eventually(() => set.every(isUsed), `${set.join()} serve`);
    api.endWatches();
  }
  await stop();
  assert.deepEqual([...answers.keys()].toSorted(), HOSTS);
  assert.deepEqual([endpoints()[0]!.source, endpoints()[0]!.zone], ['kubernetes', 'eu-1a']);
});
