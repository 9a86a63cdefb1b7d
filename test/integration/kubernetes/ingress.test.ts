// The provider `kubernetes` in a complete Fairlead: Ingress objects come, change, are refused and go, while the others
// serve. Thread: main.

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { request as httpRequest } from 'node:http';
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { type AppServer, startApps } from '../../support/app-server.ts';
import { testCertificate } from '../../support/certificates.ts';
import { eventually, type RunningFairlead, startFairlead } from '../../support/fairlead.ts';
import { type KubernetesApi, kubeconfigFor, startKubernetes } from '../../support/kubernetes-api.ts';

function addService(api: KubernetesApi, name: string, app: AppServer): void {
  const metadata = { name, namespace: 'shop' };
  api.apply('services', { metadata, spec: { ports: [{ name: 'http', port: 80 }] } });
  api.apply('endpointslices', {
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: app.port }],
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
  });
}

function ingress(name: string, spec: object, annotations: Record<string, string> = {}) {
  return { metadata: { name, namespace: 'shop', annotations }, spec: { ingressClassName: 'fairlead', ...spec } };
}

const backend = (name: string) => ({ service: { name, port: { number: 80 } } });

function rule(host: string, path: string, service: string, pathType = 'Prefix') {
  return { host, http: { paths: [{ path, pathType, backend: backend(service) }] } };
}

async function begin(t: TestContext) {
  const [a, b] = await startApps(t, 2);
  const api = await startKubernetes(t);
  api.apply('ingressclasses', { metadata: { name: 'fairlead' }, spec: { controller: 'fairlead.dev/ingress' } });
  addService(api, 'a', a!);
  addService(api, 'b', b!);
  const files = { 'kube.json': kubeconfigFor(api.url) };
  const yaml = `
workers: 1
listeners:
  - { name: web, bind: "127.0.0.1:0" }
  - { name: secure, bind: "127.0.0.1:0", tls: { fromProviders: true } }
providers: { kubernetes: { kubeconfig: kube.json, publish: { addresses: 192.0.2.1 } } }
admin: { bind: "127.0.0.1:0" }
`;
  return { a: a!, b: b!, api, files, yaml };
}

function get({ port }: RunningFairlead, host: string, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ port, path, headers: { host }, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve(response.statusCode === 200 ? body : `${response.statusCode}`));
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** The answer over TLS, and the certificate's name. */
function getSecure({ plane }: RunningFairlead, host: string): Promise<string> {
  return new Promise((resolve) => {
    const options = { port: plane.bound[1]!.port, servername: host, headers: { host }, rejectUnauthorized: false };
    const sent = request({ ...options, agent: false }, (response) => {
      const { subjectaltname = '' } = (response.socket as TLSSocket).getPeerCertificate();
      response.on('data', () => undefined);
      response.on('end', () => resolve(`${response.statusCode} ${subjectaltname}`));
    });
    sent.on('error', (error) => resolve(error.message));
    sent.end();
  });
}

describe('Ingress objects', () => {
  test('are served at the start, changed, refused alone, and removed', async (t) => {
    const { api, files, yaml } = await begin(t);
    api.apply('ingresses', ingress('one', { rules: [rule('one.test', '/', 'a')] }));
    const fairlead = await startFairlead(t, yaml, files);
    assert.equal(await get(fairlead, 'one.test'), 'a', 'it is served before anything else is asked');
    assert.equal(await get(fairlead, 'two.test'), '404');

    api.apply('ingresses', ingress('two', { rules: [rule('*.two.test', '/', 'b'), rule('one.test', '/b', 'b')] }));
    await eventually(async () => (await get(fairlead, 'x.two.test')) === 'b', 'the second one is served');
    assert.equal(await get(fairlead, 'one.test', '/b/x'), 'b', 'the longer path of another object has precedence');
    assert.equal(await get(fairlead, 'one.test', '/bx'), 'a', 'a prefix has whole segments');

    api.apply('ingresses', ingress('two', { rules: [rule('x.two.test', '/a*b', 'b')] }));
    api.apply('ingresses', ingress('three', { rules: [rule('three.test', '/', 'none')] }));
    await eventually(
      async () => (await get(fairlead, 'three.test')) === '503',
      'a backend that is missing answers 503',
    );
    assert.equal(await get(fairlead, 'x.two.test'), '404', 'the invalid object contributes nothing');
    assert.equal(await get(fairlead, 'one.test'), 'a', 'the valid one does');
    const warnings = fairlead.log.filter(({ level }) => level === 'warn').map(({ text }) => text);
    const refusal = 'kubernetes ingress shop/two is refused: "/a*b" has a wildcard';
    assert.ok(warnings.some((text) => text.startsWith(refusal)));
    assert.ok(warnings.includes('kubernetes ingress shop/three is refused: there is no service shop/none'));

    const read = async <Reply>(path: string) => (await fetch(`${fairlead.adminUrl}/api/v1/${path}`)).json() as Reply;
    type Shown = { providers: { accepted: number; state: string; refused: { object: string; cause: string }[] }[] };
    const { providers } = await read<Shown>('providers');
    assert.deepEqual([providers[0]!.accepted > 0, providers[0]!.state], [true, 'current']);
    const objects = providers[0]!.refused.map(({ object }) => object).toSorted();
    assert.deepEqual(objects, ['kubernetes ingress shop/three', 'kubernetes ingress shop/two']);
    const { routes } = await read<{ routes: { verdict: string; origin: string }[] }>('explain?url=http://one.test/');
    assert.equal(routes.find(({ verdict }) => verdict === 'matched')?.origin, 'kubernetes ingress shop/one');
    const { events } = await read<{ events: { change: string; object: string }[] }>('events?kind=provider');
    assert.ok(events.some(({ change, object }) => change === 'refused' && object === 'kubernetes ingress shop/three'));

    api.remove('ingresses', 'shop', 'one');
    await eventually(async () => (await get(fairlead, 'one.test')) === '404', 'the removed one is gone');
    const status = () => JSON.stringify(api.read('ingresses', 'shop', 'three')['status'] ?? null);
    await eventually(() => status().includes('192.0.2.1'), 'the status is written');
  });

  test('bring certificates, which rotate, and redirects to HTTPS', async (t) => {
    const { api, files, yaml } = await begin(t);
    const secret = (names: readonly string[]): void => {
      const { cert, key } = testCertificate(names);
      const data = { 'tls.crt': btoa(cert), 'tls.key': btoa(key) };
      api.apply('secrets', { metadata: { name: 'web', namespace: 'shop' }, type: 'kubernetes.io/tls', data });
    };
    secret(['one.test']);
    const spec = { tls: [{ secretName: 'web' }], defaultBackend: backend('b'), rules: [rule('one.test', '/', 'a')] };
    api.apply(
      'ingresses',
      ingress('one', spec, { 'fairlead.dev/redirect-to-https': 'true', 'fairlead.dev/oops': '1' }),
    );
    const fairlead = await startFairlead(t, yaml, files);
    assert.equal(await get(fairlead, 'one.test'), '308');
    assert.equal(await getSecure(fairlead, 'one.test'), '200 DNS:one.test, IP Address:127.0.0.1');
    secret(['one.test', 'other.test']);
    const rotated = '200 DNS:one.test, DNS:other.test, IP Address:127.0.0.1';
    await eventually(async () => (await getSecure(fairlead, 'one.test')) === rotated, 'the secret has rotated');
    const listed = (await (await fetch(`${fairlead.adminUrl}/api/v1/certificates`)).json()) as {
      certificates: { source: string; origin: string }[];
    };
    const { source, origin } = listed.certificates[0]!;
    assert.deepEqual([source, origin], ['provider', 'kubernetes secret shop/web']);
    assert.ok(fairlead.log.some(({ text }) => /annotation fairlead\.dev\/oops is unknown/.test(text)));
  });

  test('stand beside HTTPRoutes, whose status is written', async (t) => {
    const { api, files, yaml } = await begin(t);
    const own = { controllerName: 'fairlead.dev/gateway' };
    api.apply('gatewayclasses', { metadata: { name: 'fairlead' }, spec: own });
    api.apply('gateways', {
      metadata: { name: 'gw', namespace: 'shop' },
      spec: { gatewayClassName: 'fairlead', listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
    });
    const rules = [{ backendRefs: [{ name: 'b', port: 80 }] }];
    const spec = { parentRefs: [{ name: 'gw' }], hostnames: ['route.test'], rules };
    api.apply('httproutes', { metadata: { name: 'r', namespace: 'shop' }, spec });
    api.apply('ingresses', ingress('one', { rules: [rule('one.test', '/', 'a')] }));
    const fairlead = await startFairlead(
      t,
      yaml.replace('publish:', 'gateway: { ports: { "80": web } }, publish:'),
      files,
    );
    assert.equal(await get(fairlead, 'one.test'), 'a');
    assert.equal(await get(fairlead, 'route.test'), 'b');
    const status = (kind: string, name: string) => JSON.stringify(api.read(kind, 'shop', name)['status'] ?? null);
    await eventually(() => /"Accepted","status":"True"/.test(status('httproutes', 'r')), 'the route is accepted');
    await eventually(() => /"Programmed","status":"True"/.test(status('gateways', 'gw')), 'the Gateway is programmed');
  });

  test('are kept while the API server is down, and over a reload of the file', async (t) => {
    const { api, files, yaml } = await begin(t);
    api.apply('ingresses', ingress('one', { rules: [rule('one.test', '/', 'a')] }));
    const fairlead = await startFairlead(t, yaml, files);
    await api.stop();
    await eventually(async () => {
      const text = await (await fetch(`${fairlead.adminUrl}/metrics?scope=process`)).text();
      return text.includes('fairlead_provider_current{provider="kubernetes"} 0');
    }, 'the metrics show the failure');
    fairlead.rewrite(
      yaml.replace('workers: 1', 'workers: 1\nroutes: [{ match: { path: /own }, respond: { body: own } }]'),
    );
    assert.equal((await fairlead.plane.reload()).ok, true);
    assert.equal(await get(fairlead, 'one.test'), 'a');
    assert.equal(await get(fairlead, 'one.test', '/own'), 'own', 'routes of the file come first');
    fairlead.rewrite(
      yaml.replace(/^providers.*$/m, 'routes: [{ respond: { body: own } }]').replace('fromProviders', 'internal'),
    );
    assert.equal((await fairlead.plane.reload()).ok, true);
    await eventually(async () => (await get(fairlead, 'one.test')) === 'own', 'without the provider its routes end');
  });
});
