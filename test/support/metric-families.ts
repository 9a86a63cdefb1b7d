// Metrics as docs/metrics.md lists them, which another test compares with the registry. Thread: main.

import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Labels that Prometheus adds to every series. */
const SCRAPED = ['instance', 'job'];

interface MetricFamily {
  readonly type: string;
  readonly labels: readonly string[];
}

/** The exported families by name. */
export const METRIC_FAMILIES: ReadonlyMap<string, MetricFamily> = new Map(
  readFileSync(path.resolve(import.meta.dirname, '../../docs/metrics.md'), 'utf8')
    .split('\n')
    .map((line) => /^\| `(fairlead_\w+)` \| (\w+) \| ([\w, ]*) ?\|/.exec(line))
    .filter((match) => match !== null)
    .map((match) => [match[1]!, { type: match[2]!, labels: match[3]!.trim().split(/, */).filter(Boolean) }]),
);

/** Names of metrics and labels in a query that are not exported. */
export function strangersIn(expression: string): string[] {
  const strangers: string[] = [];
  const known = new Set<string>(SCRAPED);
  for (const [, name, matchers = ''] of expression.matchAll(/\b(fairlead_\w+)(?:\{([^}]*)\})?/g)) {
    const family = METRIC_FAMILIES.get(name!) ?? histogramOf(name!);
    if (family === undefined) {
      strangers.push(name!);
      continue;
    }
    for (const label of family.labels) known.add(label);
    for (const [, label] of matchers.matchAll(/(\w+) *=?[=~!]/g)) {
      if (![...family.labels, ...SCRAPED].includes(label!)) strangers.push(`${name!}{${label!}}`);
    }
    if (/(?:rate|increase)\($/.test(expression.slice(0, expression.indexOf(name!))) && family.type === 'gauge') {
      strangers.push(`rate of the gauge ${name!}`);
    }
  }
  for (const [, list] of expression.matchAll(/\b(?:by|on|without) \(([^)]*)\)/g)) {
    for (const label of list!.split(/, */)) if (!known.has(label)) strangers.push(`by ${label}`);
  }
  return strangers;
}

function histogramOf(name: string): MetricFamily | undefined {
  const family = METRIC_FAMILIES.get(name.replace(/_(?:bucket|sum|count)$/, ''));
  return family?.type === 'histogram' ? { ...family, type: 'counter' } : undefined;
}
