// Writes a family in OpenMetrics 1.0, which has exemplars: the trace of one request in a bucket of a histogram. Thread: main.

import { escapedText, labelsText } from './exposition.ts';
import type { Labels, MetricFamily, MetricSample, SampleExemplar } from './metric-family.ts';

export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
export const OPEN_METRICS_END = '# EOF';

const TOTAL = '_total';

/**
 * TYPE, HELP and one line for each sample, without the last line break.
 * @param names of all families. The family of a counter is named without `_total`; where another family has that name,
 * the type is `unknown`, whose samples are named as their family
 */
export function openMetrics(
  family: MetricFamily,
  samples: readonly MetricSample[],
  names: ReadonlySet<string>,
): string {
  const [name, type] = familyOf(family, names);
  let text = `# TYPE ${name} ${type}\n# HELP ${name} ${escapedText(family.help).replaceAll('"', '\\"')}`;
  for (const { metricName = family.name, labels, sharedLabels, value, exemplar } of samples) {
    const own = labelsText(withCanonicalBound(labels));
    const shared = sharedLabels === undefined ? '' : labelsText(sharedLabels);
    const both = own === '' || shared === '' ? own + shared : `${own},${shared}`;
    text += both === '' ? `\n${metricName} ${number(value)}` : `\n${metricName}{${both}} ${number(value)}`;
    if (exemplar !== undefined) text += ` # ${exemplarText(exemplar)}`;
  }
  return text;
}

function familyOf({ name, type }: MetricFamily, names: ReadonlySet<string>): [name: string, type: string] {
  if (type !== 'counter') return [name, type];
  const short = name.slice(0, -TOTAL.length);
  return name.endsWith(TOTAL) && !names.has(short) ? [short, 'counter'] : [name, 'unknown'];
}

const canonical = new WeakMap<Labels, Labels>();

/** A whole bound is written with a decimal (`le="1.0"`), so that it is the same text in all programs. */
function withCanonicalBound(labels: Labels): Labels {
  const bound = labels['le'];
  if (typeof bound !== 'number' || !Number.isInteger(bound)) return labels;
  let same = canonical.get(labels);
  if (same === undefined) canonical.set(labels, (same = { ...labels, le: bound.toFixed(1) }));
  return same;
}

function exemplarText({ traceId, seconds, atMs }: SampleExemplar): string {
  return `{trace_id="${traceId}"} ${seconds} ${(atMs / 1000).toFixed(3)}`;
}

function number(value: number): string {
  if (Number.isFinite(value)) return `${value}`;
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}
