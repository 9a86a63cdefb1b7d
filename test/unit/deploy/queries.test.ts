// Queries in deploy/: metric names and labels are those of docs/metrics.md, which another test compares with the
// registry. Thread: main.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { METRIC_FAMILIES, strangersIn } from '../../support/metric-families.ts';
import { requirePeer } from '../../support/peers.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const ALERTS = 'deploy/prometheus/fairlead-alerts.yaml';
const DASHBOARDS = readdirSync(path.join(ROOT, 'deploy/grafana')).filter((name) => name.endsWith('.json'));
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

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query: string;
}

interface Dashboard {
  readonly title: string;
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}

function dashboard(name: string): Dashboard {
  return JSON.parse(read(`deploy/grafana/${name}`)) as Dashboard;
}

const targetsOf = ({ panels }: Dashboard) => panels.flatMap(({ targets = [] }) => targets);
const withInterval = (expression: string): string => expression.replaceAll('$__rate_interval', '5m');

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

  for (const name of DASHBOARDS) {
    test(`of the dashboard ${name} use exported names, and its legends use labels that the queries keep`, () => {
      const { templating } = dashboard(name);
      const targets = targetsOf(dashboard(name));
      assert.ok(targets.length > 20);
      for (const { expr, legendFormat } of targets) {
        assert.deepEqual(strangersIn(withInterval(expr)), [], expr);
        const kept = /\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(/, */) ?? ['instance', 'worker', 'statistic'];
        for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
          assert.ok(kept.includes(label!), `${expr}: ${label!}`);
      }
      for (const { type, query } of templating.list) {
        if (type === 'query') assert.deepEqual(strangersIn(query), [], query);
      }
    });
  }
});

describe('the Grafana dashboards', () => {
  test('have names of their own, and the overview is beside those of an upstream and of the fleet', () => {
    assert.deepEqual(DASHBOARDS.toSorted(), ['fairlead-fleet.json', 'fairlead-upstream.json', 'fairlead.json']);
    const all = DASHBOARDS.map(dashboard);
    assert.equal(new Set(all.flatMap(({ title, uid }) => [`title ${title}`, `uid ${uid}`])).size, 2 * all.length);
  });

  for (const name of DASHBOARDS) {
    test(`${name} has panels with unique numbers that do not overlap`, () => {
      const { panels } = dashboard(name);
      assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
      const taken = new Set<string>();
      for (const { title, gridPos } of panels) {
        assert.ok(gridPos.x + gridPos.w <= 24, title);
        for (let cell = 0; cell < gridPos.w * gridPos.h; cell++) {
          const place = `${gridPos.x + (cell % gridPos.w)},${gridPos.y + Math.floor(cell / gridPos.w)}`;
          assert.ok(!taken.has(place), `${title} overlaps another panel`);
          taken.add(place);
        }
      }
    });

    test(`${name} defines the variables that it uses, and uses those that it defines`, () => {
      const { panels, templating } = dashboard(name);
      const texts = [JSON.stringify(panels), ...templating.list.map(({ query }) => query)].join('\n');
      const used = new Set([...texts.matchAll(/\$\{?([a-z]\w*)/g)].map(([, variable]) => variable!));
      assert.deepEqual([...used].toSorted(), templating.list.map(({ name: variable }) => variable).toSorted());
    });
  }
});

test('promtool accepts the alert rules', (t) => {
  const promtool = requirePeer(t, 'promtool');
  if (promtool === undefined) return;
  const checked = spawnSync(promtool, ['check', 'rules', path.join(ROOT, ALERTS)], { encoding: 'utf8' });
  assert.equal(checked.status, 0, checked.stdout + checked.stderr);
});

test('promtool parses the queries of the dashboards', (t) => {
  const promtool = requirePeer(t, 'promtool');
  if (promtool === undefined) return;
  const queries = DASHBOARDS.flatMap((name) => targetsOf(dashboard(name)).map(({ expr }) => withInterval(expr)));
  const rules = queries.map((expr, index) => ({ record: `query${index}`, expr }));
  const folder = mkdtempSync(path.join(os.tmpdir(), 'fairlead-queries-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'rules.yaml');
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'queries', rules }] }));
  const checked = spawnSync(promtool, ['check', 'rules', '--lint=none', file], { encoding: 'utf8' });
  assert.equal(checked.status, 0, checked.stdout + checked.stderr);
});
