// Fairlead's configuration for chaos runs is one that Fairlead takes. Thread: main.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadConfigText } from '../../../../config/load.ts';
import { formatProblem } from '../../../../config/problems/problem.ts';
import { fairleadConfig } from '../../../../scripts/chaos/fairlead-config.ts';
import { SCENARIOS } from '../../../../scripts/chaos/scenarios/registry.ts';

const SETTINGS = { seed: 1, seconds: 1, rate: 10, tryMs: 250, isHedged: true } as const;

function load(text: string) {
  const origin = { file: 'chaos.yaml', directory: '/', environment: {}, wallMs: 0 };
  const result = loadConfigText(text, origin);
  assert.deepEqual((result.ok ? result.warnings : result.problems).map(formatProblem), []);
  assert.ok(result.ok);
  return result.config.settings;
}

describe('the configuration of scenario', () => {
  for (const scenario of SCENARIOS) {
    for (const balance of ['least-request', 'round-robin', 'peak-ewma'] as const) {
      test(`${scenario.name} with ${balance} loads without a warning`, () => {
        for (const { plan, tuning } of scenario.cases({ ...SETTINGS, balance })) {
          const endpointPorts = plan.endpoints.map((_, index) => 3001 + index);
          const place = { webPort: 8080, adminPort: 9900, endpointPorts, workers: 2, accessLogFile: '/tmp/access.log' };
          const app = load(fairleadConfig(place, tuning)).upstreams['app']!;
          assert.equal(app.balance.strategy, tuning.balance);
          assert.equal(app.endpoints.length, endpointPorts.length);
          assert.equal(app.limits.maxConnections, tuning.maxConnections);
          assert.equal(app.retry.perTryTimeout ?? null, tuning.tryMs);
        }
      });
    }
  }
});
