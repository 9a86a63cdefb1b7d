// Reads Prometheus' text format, strictly, so that a test sees what a scraper would see. Thread: both.

import assert from 'node:assert/strict';

export interface ExposedFamily {
  readonly help: string;
  readonly type: string;
  readonly samples: ExposedSample[];
}

export interface ExposedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Families by name. Fails on anything that isn't the format. */
export function parseExposition(text: string): Map<string, ExposedFamily> {
  const families = new Map<string, ExposedFamily>();
  let current: ExposedFamily | undefined;
  let currentName = '';
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const help = /^# HELP (\S+) (.*)$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (help !== null) currentName = help[1]!;
    else if (type !== null) {
      assert.equal(type[1], currentName, 'TYPE follows HELP of the same family');
      assert.ok(!families.has(currentName), `${currentName} comes once`);
      current = { help: helpOf(text, currentName), type: type[2]!, samples: [] };
      families.set(currentName, current);
    } else current!.samples.push(parseSample(line, currentName));
  }
  return families;
}

function helpOf(text: string, name: string): string {
  return new RegExp(`^# HELP ${name} (.*)$`, 'm').exec(text)![1]!;
}

function parseSample(line: string, family: string): ExposedSample {
  const match = /^([a-z0-9_]+)(?:\{(.*)\})? (\S+)$/.exec(line);
  assert.ok(match !== null, `no sample: ${line}`);
  const [, name, labelText = '', value] = match;
  assert.ok(name === family || /^_(?:bucket|sum|count)$/.test(name!.slice(family.length)), `${name} in ${family}`);
  const number = Number(value);
  assert.ok(Number.isFinite(number), `${value} is a number`);
  return { name: name!, labels: parseLabels(labelText), value: number };
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  const pattern = /([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    assert.ok(match !== null, `no labels: ${text}`);
    const [, name, value] = match;
    labels[name!] = value!.replaceAll(/\\([\\"n])/g, (_, char: string) => (char === 'n' ? '\n' : char));
  }
  return labels;
}

/** The value of the one sample of a family that has (at least) these labels. */
export function valueOf(
  families: ReadonlyMap<string, ExposedFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const family = families.get(name) ?? families.get(name.replace(/_(?:bucket|sum|count)$/, ''));
  assert.ok(family !== undefined, `${name} is exposed`);
  const matching = family.samples.filter(
    (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  assert.equal(matching.length, 1, `one ${name} ${JSON.stringify(labels)}`);
  return matching[0]!.value;
}
