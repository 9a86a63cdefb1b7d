// examples/observability: mounted files exist, ports and names agree with the configurations, and the apps run.
// Thread: main.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { parse } from 'yaml';
import { loadConfigText } from '../../../config/load.ts';
import { formatProblem } from '../../../config/problems/problem.ts';
import { requirePeer } from '../../support/peers.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../../examples/observability');

interface Service {
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[];
}

function yaml(file: string): unknown {
  return parse(readFileSync(path.join(FOLDER, file), 'utf8'), { merge: true });
}

const { services } = yaml('compose.yaml') as { services: Readonly<Record<string, Service>> };
const serviceNames = new Set(Object.keys(services));

/** Mounts of a service: paths of the host by path in the container. */
function mountsOf(name: string): Map<string, string> {
  const mounts = (services[name]!.volumes ?? []).map((line) => line.split(':') as [string, string, string]);
  return new Map(mounts.map(([from, to]) => [to, path.resolve(FOLDER, from)]));
}

/** Ports of a service in its container. */
const publishedPorts = (name: string): string[] => services[name]!.ports!.map((line) => line.split(':').at(-1)!);

/** The file of the host that a path in a container stands for. */
function mountedFile(name: string, file: string): string | undefined {
  for (const [to, from] of mountsOf(name))
    if (file === to || file.startsWith(`${to}/`)) return from + file.slice(to.length);
  return undefined;
}

function fairleadConfig() {
  const file = mountedFile('fairlead', services['fairlead']!.command!.at(-1)!)!;
  const environment = { FAIRLEAD_ADMIN_TOKEN: 'x'.repeat(48) };
  return loadConfigText(readFileSync(file, 'utf8'), { file, directory: FOLDER, environment, wallMs: 0 });
}

describe('the Compose file for observability', () => {
  test('mounts existing files read-only, and depends on services that it has', () => {
    for (const [name, { volumes = [], depends_on: needed = [] }] of Object.entries(services)) {
      for (const line of volumes) assert.match(line, /:ro$/, line);
      for (const from of mountsOf(name).values()) assert.ok(existsSync(from), from);
      for (const other of needed) assert.ok(serviceNames.has(other), other);
    }
  });

  test('publishes on loopback alone, but for the listener, and no port twice', () => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    assert.deepEqual(
      ports.filter((port) => !port.startsWith('127.0.0.1:')),
      ['8080:8080'],
    );
    const numbers = ports.map((port) => port.split(':').at(-2));
    assert.equal(new Set(numbers).size, numbers.length);
  });

  test('starts Fairlead as the other Compose file does', () => {
    const other = parse(readFileSync(path.resolve(FOLDER, '../../deploy/compose/compose.yaml'), 'utf8'), {
      merge: true,
    }) as { services: { fairlead: Record<string, unknown> } };
    const { volumes, depends_on: needed, ...same } = other.services.fairlead;
    assert.ok(volumes !== undefined && needed !== undefined);
    for (const [key, value] of Object.entries(same)) {
      assert.deepEqual(services['fairlead']![key as keyof Service], value, key);
    }
  });
});

describe('the configuration of Fairlead in the Compose file', () => {
  test('passes the check and uses the ports and services of the file', () => {
    const loaded = fairleadConfig();
    // The token stays within the networks of Compose.
    const found = (loaded.ok ? loaded.warnings : loaded.problems).filter(({ code }) => code !== 'FL9021');
    assert.deepEqual(found.map(formatProblem), []);
    assert.ok(loaded.ok);
    const apps = loaded.config.settings.upstreams['app']!.endpoints.map(({ url }) => url);
    assert.deepEqual(
      apps.map(({ host }) => host),
      [...serviceNames].filter((name) => name.startsWith('app-')),
    );
    for (const { host, port } of apps) assert.equal(String(port), services[host]!.environment!['PORT']);
  });

  test('binds the published ports, and sends traces to the port for OTLP over HTTP of Jaeger', () => {
    const text = readFileSync(path.join(FOLDER, 'fairlead/fairlead.yaml'), 'utf8');
    const { listeners, admin, tracing } = parse(text) as {
      listeners: { bind: string }[];
      admin: { bind: string; open: string[] };
      tracing: { endpoint: string };
    };
    const bound = [...listeners, admin].map(({ bind }) => bind.split(':')[1]);
    assert.deepEqual(bound, publishedPorts('fairlead'));
    assert.ok(serviceNames.has('jaeger'));
    assert.equal(tracing.endpoint, 'http://jaeger:4318');
    const prometheus = yaml('prometheus.yaml') as { scrape_configs: { static_configs: { targets: string[] }[] }[] };
    assert.deepEqual(prometheus.scrape_configs[0]!.static_configs[0]!.targets, [
      `fairlead:${admin.bind.split(':')[1]}`,
    ]);
    assert.ok(admin.open.includes('metrics'));
    assert.equal(services['load']!.environment!['TARGET'], `http://fairlead:${bound[0]!}`);
  });
});

describe('Prometheus and Grafana in the Compose file', () => {
  test('Prometheus reads the mounted configuration and rules', () => {
    const option = services['prometheus']!.command!.find((word) => word.startsWith('--config.file='))!;
    assert.equal(mountedFile('prometheus', option.split('=')[1]!), path.join(FOLDER, 'prometheus.yaml'));
    const { rule_files: rules } = yaml('prometheus.yaml') as { rule_files: string[] };
    for (const file of rules) assert.ok(existsSync(mountedFile('prometheus', file)!), file);
  });

  test('promtool accepts the configuration', (t) => {
    const promtool = requirePeer(t, 'promtool');
    if (promtool === undefined) return;
    const file = path.join(FOLDER, 'prometheus.yaml');
    const checked = spawnSync(promtool, ['check', 'config', '--syntax-only', file], { encoding: 'utf8' });
    assert.equal(checked.status, 0, checked.stdout + checked.stderr);
  });

  test('Grafana has a data source for each, one of them the default, and the folder of dashboards', () => {
    const { datasources } = yaml('grafana/datasources.yaml') as {
      datasources: { type: string; url: string; isDefault?: boolean }[];
    };
    for (const { type, url } of datasources) {
      const { hostname, port } = new URL(url);
      assert.ok(publishedPorts(hostname).includes(port), url);
      assert.equal(type, hostname);
    }
    assert.deepEqual(
      datasources.filter(({ isDefault }) => isDefault).map(({ type }) => type),
      ['prometheus'],
    );
    const { providers } = yaml('grafana/dashboards.yaml') as { providers: { options: { path: string } }[] };
    for (const { options } of providers) {
      assert.ok(existsSync(path.join(mountedFile('grafana', options.path)!, 'fairlead.json')));
    }
  });
});

/** Starts a program of the example, and resolves with the first line that it prints. */
async function firstLine(t: TestContext, file: string, environment: Readonly<Record<string, string>>): Promise<string> {
  const program = spawn(process.execPath, [path.join(FOLDER, file)], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => program.kill('SIGKILL'));
  const [chunk] = (await once(program.stdout, 'data')) as [Buffer];
  return chunk.toString().trimEnd();
}

test('the demo app passes its heartbeat, and the load gets answers of it', async (t) => {
  const line = await firstLine(t, 'app.mjs', { NAME: 'app-1', PORT: '0' });
  const [, port] = /^app-1 listens on port (\d+)$/.exec(line)!;
  const heartbeat = await fetch(`http://127.0.0.1:${port!}/healthz`);
  assert.equal(heartbeat.status, 200);
  const environment = { TARGET: `http://127.0.0.1:${port!}`, RATE: '100', REPORT_MS: '300' };
  assert.match(await firstLine(t, 'load.mjs', environment), /200: \d+/);
});
