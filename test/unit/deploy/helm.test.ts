// deploy/helm: the chart renders, its values are validated, and its objects equal those of deploy/kubernetes where they
// have to. Thread: main.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { Ajv } from 'ajv';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfigText } from '../../../config/load.ts';
import { formatProblem } from '../../../config/problems/problem.ts';
import { HelmTemplates } from '../../support/helm-templates.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const CHART = path.join(ROOT, 'deploy/helm/fairlead');

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels: Labels;
  readonly annotations?: Labels;
}

type Labels = Readonly<Record<string, string>>;

interface Container {
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly hostPort?: number }[];
  readonly volumeMounts: readonly { readonly name: string }[];
  readonly [key: string]: unknown;
}

interface PodSpec {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken: boolean;
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: unknown;
  readonly containers: readonly [Container];
  readonly volumes: readonly { readonly name: string }[];
}

/** Fields of the specifications of several kinds. */
interface Spec {
  readonly replicas?: number;
  /** Of a Service it has the labels themselves. */
  readonly selector: Labels & { readonly matchLabels: Labels };
  readonly template: { readonly metadata: Metadata; readonly spec: PodSpec };
  readonly ports: readonly { readonly name: string; readonly targetPort: string }[];
  readonly endpoints: readonly { readonly port: string }[];
  readonly maxUnavailable: number;
}

interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly spec: Spec;
  readonly data: Labels;
  readonly rules?: unknown;
  readonly roleRef: { readonly name: string };
  readonly subjects: readonly unknown[];
}

type Values = Readonly<Record<string, unknown>>;

const read = (file: string): string => readFileSync(file, 'utf8');
const inChart = (file: string): string => read(path.join(CHART, file));
const chart = parse(inChart('Chart.yaml')) as Readonly<
  Record<'name' | 'version' | 'appVersion' | 'apiVersion', string>
>;
const DEFAULTS = parse(inChart('values.yaml')) as Values;
const templates = new HelmTemplates(
  new Map(readdirSync(path.join(CHART, 'templates')).map((name) => [name, inChart(`templates/${name}`)])),
);
const validate = new Ajv({ strict: false, allErrors: true }).compile(JSON.parse(inChart('values.schema.json')));

const isMap = (value: unknown): value is Values => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Values over the defaults, as Helm merges them: maps are merged, null removes a key. */
function merged(defaults: Values, values: Values): Values {
  const result: Record<string, unknown> = { ...defaults };
  for (const [key, value] of Object.entries(values)) {
    const given = defaults[key];
    result[key] = isMap(value) && isMap(given) ? merged(given, value) : value;
    if (value === null) delete result[key];
  }
  return result;
}

/** Objects of a release named edge in the namespace infra, from a text of values. */
function render(text = '{}'): KubernetesObject[] {
  const values = merged(DEFAULTS, parse(text) as Values);
  assert.ok(validate(values), JSON.stringify(validate.errors));
  const rendered = templates.render({
    Values: values,
    Release: { Name: 'edge', Namespace: 'infra', Service: 'Helm' },
    Chart: { Name: chart.name, Version: chart.version, AppVersion: chart.appVersion },
  });
  return [...rendered].flatMap(([name, yaml]) => documentsOf(yaml, name));
}

function documentsOf(text: string, name: string): KubernetesObject[] {
  return parseAllDocuments(text).map((document) => {
    assert.deepEqual(document.errors, [], `${name}:\n${text}`);
    return document.toJS() as KubernetesObject;
  });
}

function only(objects: readonly KubernetesObject[], kind: string, name?: string): KubernetesObject {
  const found = objects.filter(
    (object) => object.kind === kind && (name ?? object.metadata.name) === object.metadata.name,
  );
  assert.equal(found.length, 1, `${kind} ${name ?? ''}`);
  return found[0]!;
}

const workloadOf = (objects: readonly KubernetesObject[]): KubernetesObject =>
  objects.find(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet')!;
const manifest = (file: string): KubernetesObject[] =>
  documentsOf(read(path.join(ROOT, 'deploy/kubernetes', file)), file);

function assertConfigurationIsValid(objects: readonly KubernetesObject[]): void {
  const origin = {
    file: 'fairlead.yaml',
    directory: '/',
    environment: { FAIRLEAD_ADMIN_TOKEN: 'x'.repeat(48) },
    wallMs: 0,
  };
  const loaded = loadConfigText(only(objects, 'ConfigMap').data['fairlead.yaml']!, origin);
  // Plain HTTP within the cluster is intended.
  const found = (loaded.ok ? loaded.warnings : loaded.problems).filter(({ code }) => code !== 'FL9021');
  assert.deepEqual(found.map(formatProblem), []);
  assert.ok(loaded.ok);
  const { delay, grace } = loaded.config.settings.shutdown;
  const { terminationGracePeriodSeconds: seconds } = workloadOf(objects).spec.template.spec;
  assert.ok((delay ?? 0) + grace < seconds * 1000, 'the pod may finish its drain');
}

/** Asserts that an object selects the pods, and only those of this release. */
function assertSelectsPods(selector: Labels, objects: readonly KubernetesObject[]): void {
  const { labels } = workloadOf(objects).spec.template.metadata;
  assert.equal(selector['app.kubernetes.io/instance'], 'edge');
  for (const [key, value] of Object.entries(selector)) assert.equal(labels[key], value, key);
}

const OWN_CONFIG = `
config:
  listeners:
    - { name: web, bind: 0.0.0.0:8080 }
    - { name: tls, bind: 0.0.0.0:8443 }
  routes: [{ match: { path: /api/ }, upstream: api }, { respond: { status: 200, body: "a: b # c\\n\\n  d" } }]
  upstreams: { api: { endpoints: ["http://api.shop:80"], health: { heartbeat: { path: /healthz } } } }
  shutdown: { grace: 20s }
ports:
  - { name: web, containerPort: 8080, servicePort: 80 }
  - { name: tls, containerPort: 8443, servicePort: 443 }
`;

const INGRESS = `
config:
  listeners:
    - { name: web, bind: 0.0.0.0:8080 }
    - { name: secure, bind: 0.0.0.0:8443, tls: { fromProviders: true } }
  routes: null
  upstreams: null
  providers:
    kubernetes: { gateway: { ports: { "80": web, "443": secure } }, publish: { service: infra/edge } }
ports: [{ name: web, containerPort: 8080, servicePort: 80 }, { name: secure, containerPort: 8443, servicePort: 443 }]
service: { type: LoadBalancer, externalTrafficPolicy: Local, annotations: { example.com/pool: public } }
kubernetes: { ingress: { enabled: true, isDefault: true }, gateway: { enabled: true } }
`;

/** Sets of values that have to render. */
const SETS: Readonly<Record<string, string>> = {
  'the defaults': '{}',
  'a configuration': OWN_CONFIG,
  'a DaemonSet': 'kind: DaemonSet\nports: [{ name: web, containerPort: 8080, servicePort: 80, hostPort: 80 }]',
  'a restart on change': 'restartOnChange: true',
  'the example of the guide': /^```yml\n(image:[^`]+)```$/m.exec(read(path.join(ROOT, 'docs/kubernetes.md')))![1]!,
  'endpoints of services': 'kubernetes: { endpoints: { enabled: true, namespaces: [shop, blog] } }',
  'Ingress and Gateway API': INGRESS,
  'a ServiceMonitor': 'serviceMonitor: { enabled: true, labels: { release: prometheus } }',
  'an account of its own': 'serviceAccount: { create: false, name: proxies }',
  'every value of a pod': `
fullnameOverride: proxy
image: { repository: registry.example.com/fairlead, tag: "1.2", pullSecrets: [pull] }
podAnnotations: { example.com/team: "42" }
podLabels: { team: edge }
nodeSelector: { kubernetes.io/os: linux }
tolerations: [{ key: edge, operator: Exists }]
affinity: { nodeAffinity: {} }
priorityClassName: system-cluster-critical
extraEnv: [{ name: STICKY_SECRET, value: "1" }]
extraVolumes: [{ name: certificates, secret: { secretName: tls } }]
extraVolumeMounts: [{ name: certificates, mountPath: /certificates, readOnly: true }]
podDisruptionBudget: { enabled: false }`,
};

for (const [name, values] of Object.entries(SETS)) {
  describe(`the chart with ${name}`, () => {
    const objects = render(values);

    test('renders objects with names and labels, none twice', () => {
      const ids = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''} ${metadata.name}`);
      assert.equal(new Set(ids).size, ids.length);
      for (const { apiVersion, kind, metadata } of objects) {
        assert.match(apiVersion, /^(?:[\w.]+\/)?v1$/, kind);
        assert.equal(metadata.labels['app.kubernetes.io/instance'], 'edge', kind);
      }
    });

    test('has a configuration that Fairlead accepts', () => assertConfigurationIsValid(objects));

    test('selects its pods, and its services have ports of the container', () => {
      const { spec } = workloadOf(objects);
      assertSelectsPods(spec.selector.matchLabels, objects);
      const ports = new Set(spec.template.spec.containers[0].ports.map(({ name: port }) => port));
      for (const service of objects.filter(({ kind }) => kind === 'Service')) {
        assertSelectsPods(service.spec.selector, objects);
        for (const { targetPort } of service.spec.ports) assert.ok(ports.has(targetPort), targetPort);
      }
      for (const { spec: budget } of objects.filter(({ kind }) => kind === 'PodDisruptionBudget')) {
        assertSelectsPods(budget.selector.matchLabels, objects);
      }
    });

    test('runs the pod with the probes and the restrictions of deploy/kubernetes', () => {
      const pod = workloadOf(objects).spec.template.spec;
      const expected = workloadOf(manifest('fairlead.yaml')).spec.template.spec;
      assert.deepEqual(pod.securityContext, expected.securityContext);
      for (const key of ['securityContext', 'readinessProbe', 'livenessProbe', 'startupProbe', 'resources']) {
        assert.deepEqual(pod.containers[0][key], expected.containers[0][key], key);
      }
      const mounted = pod.containers[0].volumeMounts.map((mount) => mount.name);
      assert.deepEqual(
        mounted,
        pod.volumes.map((volume) => volume.name),
      );
    });

    test('binds roles that it has to the service account of the pod', () => {
      const { serviceAccountName: account } = workloadOf(objects).spec.template.spec;
      for (const binding of objects.filter(({ kind }) => kind.endsWith('RoleBinding'))) {
        only(objects, 'ClusterRole', binding.roleRef.name);
        assert.deepEqual(binding.subjects, [{ kind: 'ServiceAccount', name: account, namespace: 'infra' }]);
      }
    });
  });
}

describe('the chart', () => {
  test('has the version of the package', () => {
    const { version } = JSON.parse(read(path.join(ROOT, 'package.json'))) as { version: string };
    assert.deepEqual([chart.apiVersion, chart.version, chart.appVersion], ['v2', version, version]);
  });

  test('reloads a changed configuration, or replaces the pods by a checksum', () => {
    const [watching] = workloadOf(render()).spec.template.spec.containers;
    assert.deepEqual(watching.args, ['run', '--watch', '--config', '/etc/fairlead/fairlead.yaml']);
    const templateOf = (more: string) => workloadOf(render(`restartOnChange: true${more}`)).spec.template;
    const before = templateOf('');
    assert.deepEqual(before.spec.containers[0].args, ['run', '--config', '/etc/fairlead/fairlead.yaml']);
    const sums = [before, templateOf('\nconfig: { shutdown: { grace: 10s } }')].map(
      ({ metadata }) => metadata.annotations!['checksum/config'],
    );
    assert.match(sums[0]!, /^[0-9a-f]{64}$/);
    assert.notEqual(sums[0], sums[1]);
  });

  test('passes a body of several lines to the configuration unchanged', () => {
    const { routes } = parse(only(render(OWN_CONFIG), 'ConfigMap').data['fairlead.yaml']!) as {
      routes: { respond?: { body: string } }[];
    };
    assert.equal(routes[1]!.respond!.body, 'a: b # c\n\n  d');
  });

  test('is a Deployment with a disruption budget, or a DaemonSet without one', () => {
    const deployment = render('replicas: 3');
    assert.equal(only(deployment, 'Deployment').spec.replicas, 3);
    assert.equal(only(deployment, 'PodDisruptionBudget').spec.maxUnavailable, 1);
    const daemons = render(SETS['a DaemonSet']);
    assert.equal(only(daemons, 'DaemonSet').spec.replicas, undefined);
    assert.equal(daemons.filter(({ kind }) => kind === 'PodDisruptionBudget' || kind === 'Deployment').length, 0);
    assert.equal(only(daemons, 'DaemonSet').spec.template.spec.containers[0].ports[0]!.hostPort, 80);
  });

  test('has no role and no token by default', () => {
    const objects = render();
    assert.equal(workloadOf(objects).spec.template.spec.automountServiceAccountToken, false);
    assert.equal(objects.filter(({ kind }) => kind.includes('Role')).length, 0);
  });

  test('has the roles of deploy/kubernetes', () => {
    const objects = [...render(INGRESS), ...render(SETS['endpoints of services'])];
    assert.equal(workloadOf(objects).spec.template.spec.automountServiceAccountToken, true);
    const manifests = ['rbac.yaml', 'ingress.yaml', 'gateway.yaml'].flatMap(manifest);
    const roles = manifests.filter(({ kind }) => kind === 'ClusterRole');
    assert.equal(roles.length, 3);
    for (const { metadata, rules } of roles) {
      assert.deepEqual(
        only(objects, 'ClusterRole', metadata.name.replace('fairlead', 'edge')).rules,
        rules,
        metadata.name,
      );
    }
    for (const kind of ['IngressClass', 'GatewayClass']) {
      assert.deepEqual(only(objects, kind).spec, only(manifests, kind).spec, kind);
    }
  });

  test('binds the role for endpoints in the namespaces of values, in its own, or in all', () => {
    const bindings = (more: string) =>
      render(`kubernetes: { endpoints: { enabled: true, ${more} } }`)
        .filter(({ kind }) => kind.endsWith('RoleBinding'))
        .map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}`);
    assert.deepEqual(bindings('namespaces: [shop, blog]'), ['RoleBinding shop', 'RoleBinding blog']);
    assert.deepEqual(bindings(''), ['RoleBinding ']);
    assert.deepEqual(bindings('allNamespaces: true'), ['ClusterRoleBinding ']);
  });

  test('scrapes the admin port alone with a ServiceMonitor', () => {
    const objects = render(SETS['a ServiceMonitor']);
    const { spec, metadata } = only(objects, 'ServiceMonitor');
    assert.equal(metadata.labels['release'], 'prometheus');
    const selected = objects.filter(
      ({ kind, metadata: { labels } }) =>
        kind === 'Service' && Object.entries(spec.selector.matchLabels).every(([key, value]) => labels[key] === value),
    );
    assert.deepEqual(
      selected.map((service) => service.metadata.name),
      ['edge-admin'],
    );
    assert.equal(selected[0]!.spec.ports[0]!.name, spec.endpoints[0]!.port);
  });
});

describe('the schema of values', () => {
  const wrong: Readonly<Record<string, string>> = {
    'another kind': 'kind: StatefulSet',
    'text in place of a number': 'replicas: "2"',
    'fewer than no replicas': 'replicas: -1',
    'a misspelt key': 'replica: 2',
    'a misspelt key inside': 'image: { repo: fairlead }',
    'another pull policy': 'image: { pullPolicy: Sometimes }',
    'an admin port that probes do not reach': 'config: { admin: { bind: "127.0.0.1:9900" } }',
    'another admin port': 'config: { admin: { bind: "0.0.0.0:9901" } }',
    'probes that need a token': 'config: { admin: { open: [healthz] } }',
    'no listener': 'config: { listeners: [] }',
    'no port': 'ports: []',
    'a port out of range': 'ports: [{ name: web, containerPort: 8080, servicePort: 70000 }]',
    'a port that needs root': 'ports: [{ name: web, containerPort: 80, servicePort: 80 }]',
    'a port named as the one of probes': 'ports: [{ name: admin, containerPort: 8080, servicePort: 80 }]',
    'no secret': 'adminToken: { secret: "" }',
    'another type of service': 'service: { type: Internal }',
    'an invalid namespace': 'kubernetes: { endpoints: { namespaces: [Shop_1] } }',
    'Gateway API without the roles of ingress': 'kubernetes: { gateway: { enabled: true } }',
    'an annotation that is no text': 'podAnnotations: { a: 1 }',
    'an interval without a unit': 'serviceMonitor: { interval: "15" }',
  };

  for (const [name, text] of Object.entries(wrong)) {
    test(`refuses ${name}`, () => assert.equal(validate(merged(DEFAULTS, parse(text) as Values)), false));
  }

  test('has every key of values.yaml, and no other', () => {
    const { properties } = JSON.parse(inChart('values.schema.json')) as { properties: Values };
    assert.deepEqual(
      Object.keys(DEFAULTS).toSorted(),
      Object.keys(properties)
        .filter((key) => key !== 'global')
        .toSorted(),
    );
  });

  test('every value is used by a template', () => {
    const texts = readdirSync(path.join(CHART, 'templates')).map((name) => inChart(`templates/${name}`));
    for (const key of Object.keys(DEFAULTS)) {
      assert.ok(
        texts.some((text) => new RegExp(`\\.Values\\.${key}\\b`).test(text)),
        key,
      );
    }
  });
});
