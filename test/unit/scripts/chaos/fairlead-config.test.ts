// Fairlead's configuration for chaos runs is valid and contains exactly the settings of its profile. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadConfigText } from '../../../../config/load.ts';
import { formatProblem } from '../../../../config/problems/problem.ts';
import { fairleadConfig } from '../../../../scripts/chaos/fairlead-config.ts';
import { PEER_SETTINGS, type Profile } from '../../../../scripts/chaos/proxies/proxy.ts';
import { recommendedYaml } from '../../../../scripts/chaos/recommended-settings.ts';
import { SCENARIOS } from '../../../../scripts/chaos/scenarios/registry.ts';

const SETTINGS = { seed: 1, seconds: 1, rate: 10, profile: 'recommended' } as const;
const RECOMMENDED: Profile = { name: 'recommended', balance: 'least-request', changes: {} };

function configFor(profile: Profile, endpoints = 3): string {
  const endpointPorts = Array.from({ length: endpoints }, (_, index) => 3001 + index);
  const place = { webPort: 8080, adminPort: 9900, endpointPorts, workers: 2, accessLogFile: '/tmp/access.log' };
  return fairleadConfig(place, profile);
}

function load(text: string) {
  const origin = { file: 'chaos.yaml', directory: '/', environment: {}, wallMs: 0 };
  const result = loadConfigText(text, origin);
  assert.deepEqual((result.ok ? result.warnings : result.problems).map(formatProblem), []);
  assert.ok(result.ok);
  return result.config.settings.upstreams['app']!;
}

describe('the configuration of scenario', () => {
  for (const scenario of SCENARIOS) {
    for (const balance of ['least-request', 'round-robin', 'peak-ewma'] as const) {
      test(`${scenario.name} with ${balance} loads without a warning`, () => {
        for (const { plan, profile } of scenario.cases({ ...SETTINGS, balance })) {
          const app = load(configFor(profile, plan.endpoints.length));
          const { tryMs = PEER_SETTINGS.tryMs, maxConnections = 0 } = profile.changes;
          assert.equal(app.balance.strategy, profile.balance);
          assert.equal(app.endpoints.length, plan.endpoints.length);
          assert.equal(app.limits.maxConnections, maxConnections);
          assert.equal(app.retry.perTryTimeout ?? null, tryMs);
        }
      });
    }
  }
});

test('with the defaults an upstream has endpoints and the path of its heartbeat, and nothing else', () => {
  const text = configFor({ ...RECOMMENDED, name: 'defaults' });
  load(text);
  const { upstreams } = JSON.parse(text) as { upstreams: unknown };
  assert.deepEqual(upstreams, {
    app: {
      endpoints: ['http://127.0.0.1:3001', 'http://127.0.0.1:3002', 'http://127.0.0.1:3003'],
      health: { heartbeat: { path: '/health' } },
    },
  });
});

test('the recommended settings are those of docs/operations.md, except endpoints and the path of the heartbeat', () => {
  const documented = load(recommendedYaml());
  const used = load(configFor(RECOMMENDED));
  const { endpoints: ofPage, health: healthOfPage, ...restOfPage } = documented;
  const { endpoints, health, ...rest } = used;
  assert.deepEqual(rest, restOfPage);
  assert.equal(endpoints.length, ofPage.length);
  assert.deepEqual(
    { ...health, heartbeat: { ...health.heartbeat, path: '' } },
    { ...healthOfPage, heartbeat: { ...healthOfPage.heartbeat, path: '' } },
  );
});

test('peers have the timeouts of docs/operations.md', () => {
  const { retry, timeouts, health } = load(recommendedYaml());
  const { heartbeat } = health;
  assert.ok(heartbeat);
  const { tryMs, connectMs, checkTimeoutMs, queueMs } = PEER_SETTINGS;
  assert.deepEqual(
    [tryMs, connectMs, checkTimeoutMs, queueMs],
    [retry.perTryTimeout, timeouts.connect, heartbeat.timeout, timeouts.queue],
  );
});

test('changes of a scenario apply to the recommended settings', () => {
  const changes = { tryMs: null, responseMs: 1000, queueMs: 400, maxConnections: 2, isHedged: false } as const;
  const app = load(configFor({ ...RECOMMENDED, changes }));
  assert.equal(app.retry.perTryTimeout ?? null, null);
  assert.equal(app.hedge ?? null, null);
  assert.deepEqual([app.timeouts.response, app.timeouts.queue, app.limits.maxConnections], [1000, 400, 2]);
});

test('a page without the section, or without YAML in it, is refused', () => {
  assert.throws(() => recommendedYaml('# Operations\n'), /no YAML in its section "Fast failover"/);
  const elsewhere = '\n## Fast failover\n\ntext\n\n## Next\n\n```yaml\na: 1\n```\n';
  assert.throws(() => recommendedYaml(elsewhere), /no YAML/);
});
