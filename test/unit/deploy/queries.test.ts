// Queries in deploy/: metric names and labels are those of docs/metrics.md, which another test compares with the
// registry. Thread: main.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { METRIC_FAMILIES, strangersIn } from '../../support/metric-families.ts';
import { requirePeer } from '../../support/peers.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const ALERTS = 'deploy/prometheus/fairlead-alerts.yaml';
const DASHBOARD = 'deploy/grafana/fairlead.json';
function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
}

const dashboard = JSON.parse(read(DASHBOARD)) as Dashboard;

/** Every expression of the rules, on one line or on several. */
function expressionsOfRules(): string[] {
  const found = read(ALERTS).matchAll(/^( +)expr: (?:\|\n((?:\1 {2}.*\n)+)|(.+)\n)/gm);
  return [...found].map(([, , block, line]) => (block ?? line)!.replaceAll(/\s+/g, ' ').trim());
}

describe('queries', () => {
  test('the table of metrics is parsed', () => {
    assert.ok(METRIC_FAMILIES.size > 60, String(METRIC_FAMILIES.size));
    assert.deepEqual(METRIC_FAMILIES.get('fairlead_upstream_responses_total')!.labels, ['upstream', 'class']);
  });

  test('names that are not exported are found', () => {
    assert.deepEqual(strangersIn('rate(fairlead_nothing_total[5m])'), ['fairlead_nothing_total']);
    assert.deepEqual(strangersIn('sum by (colour) (fairlead_ready{size="1"})'), ['fairlead_ready{size}', 'by colour']);
    assert.deepEqual(strangersIn('rate(fairlead_workers[1m])'), ['rate of the gauge fairlead_workers']);
  });

  test('of the alert rules use exported names', () => {
    const expressions = expressionsOfRules();
    const count = [...read(ALERTS).matchAll(/^ +- alert: /gm)].length;
    assert.ok(count >= 10);
    assert.equal(expressions.length, count);
    for (const expression of expressions) assert.deepEqual(strangersIn(expression), [], expression);
  });

  test('of the Grafana dashboard use exported names, and its legends use labels that the queries keep', () => {
    const targets = dashboard.panels.flatMap(({ targets = [] }) => targets);
    assert.ok(targets.length > 30);
    for (const { expr, legendFormat } of targets) {
      assert.deepEqual(strangersIn(expr.replaceAll(/\$__rate_interval/g, '5m')), [], expr);
      const kept = [...(/\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(/, */) ?? ['instance', 'worker', 'statistic'])];
      for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        assert.ok(kept.includes(label!), `${expr}: ${label!}`);
    }
    for (const { name, query } of dashboard.templating.list) {
      if (name !== 'datasource') assert.deepEqual(strangersIn(query), [], query);
    }
  });
});

describe('the Grafana dashboard', () => {
  test('has panels with unique numbers that do not overlap', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      assert.ok(gridPos.x + gridPos.w <= 24, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(!taken.has(`${x},${y}`), `${title} overlaps another panel`);
          taken.add(`${x},${y}`);
        }
      }
    }
  });
});

test('promtool accepts the alert rules', (t) => {
  const promtool = requirePeer(t, 'promtool');
  if (promtool === undefined) return;
  const checked = spawnSync(promtool, ['check', 'rules', path.join(ROOT, ALERTS)], { encoding: 'utf8' });
  assert.equal(checked.status, 0, checked.stdout + checked.stderr);
});
