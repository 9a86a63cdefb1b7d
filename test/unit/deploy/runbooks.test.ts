// Runbooks: each alert rule links a section of docs/runbooks.md, and each section has an alert. Thread: main.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { isKnownKey } from '../../../config/schema/known-keys.ts';
import { METRIC_FAMILIES } from '../../support/metric-families.ts';
import { anchorsOf, codeSpans, readPage, ROOT } from '../docs/pages.ts';

const { groups } = parse(readFileSync(path.join(ROOT, 'deploy/prometheus/fairlead-alerts.yaml'), 'utf8')) as {
  groups: { rules: { alert: string; annotations: { summary: string; runbook_url: string } }[] }[];
};
const RULES = groups.flatMap(({ rules }) => rules);
const PAGE = readPage('docs/runbooks.md');
const SPANS = PAGE.prose.flatMap(codeSpans);

describe('the runbooks', () => {
  for (const { alert, annotations } of RULES) {
    test(`of ${alert} are linked by runbook_url`, () => {
      const [file = '', anchor = ''] = annotations.runbook_url.split('#');
      assert.equal(anchor, alert.toLowerCase(), annotations.runbook_url);
      assert.ok(anchorsOf(readPage(file)).has(anchor), annotations.runbook_url);
    });
  }

  test('have the sections of the alerts, in the order of the rules, each with meaning, places to look at and steps', () => {
    const sections = PAGE.prose.join('\n').split(/^## /m).slice(1);
    assert.deepEqual(
      sections.map((section) => section.slice(0, section.indexOf('\n'))),
      RULES.map(({ alert }) => alert),
    );
    for (const section of sections) {
      const parts = [...section.matchAll(/^\*\*([^*]+)\.\*\* \S/gm)].map(([, name]) => name);
      assert.deepEqual(parts, ['Meaning', 'Look at', 'Do'], section);
    }
  });

  test('name exported metrics and known keys of the configuration', () => {
    const metrics = SPANS.filter((span) => span.startsWith('fairlead_')).map((span) => span.replace(/\{.*$/, ''));
    assert.ok(metrics.length > 30);
    for (const name of metrics) assert.ok(METRIC_FAMILIES.has(name), name);
    const keys = SPANS.filter((span) => /^(?:upstreams\.\*|limits|tracing)\.[\w.*]+$/.test(span));
    assert.ok(keys.length > 8);
    for (const key of keys) assert.ok(isKnownKey(key), key);
  });
});
