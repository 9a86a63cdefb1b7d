// The dashboard's colours: every text can be read on its ground, light and dark (WCAG 2.2, 1.4.3 and 1.4.11). Thread:
// main.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';

const CSS = readFileSync(path.join(import.meta.dirname, '../../../../admin/dashboard/colours.css'), 'utf8');
const [light, dark] = CSS.split('@media').map(
  (text) => new Map([...text.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map((match) => [match[1]!, match[2]!])),
);

/** Text, and the grounds that it stands on. */
const TEXTS: Record<string, readonly string[]> = {
  text: ['ground', 'panel', 'raised', 'set-ground'],
  muted: ['panel', 'raised', 'ground', 'set-ground'],
  link: ['panel', 'raised', 'set-ground'],
  bad: ['bad-ground', 'panel', 'set-ground', 'raised'],
  warn: ['warn-ground'],
  set: ['set-ground'],
  good: ['good-ground'],
  'primary-text': ['primary'],
  'ink-error': ['panel'],
  'ink-slow': ['panel'],
  'ink-fast': ['panel'],
};
/** Lines and edges. */
const SHAPES: Record<string, readonly string[]> = {
  edge: ['panel', 'raised'],
  focus: ['panel', 'ground', 'raised'],
  'ink-rate': ['panel'],
};

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return (high! + 0.05) / (low! + 0.05);
}

for (const [name, colours] of [
  ['light', light!],
  ['dark', dark!],
] as const) {
  describe(`${name} colours`, () => {
    for (const [pairs, least] of [
      [TEXTS, 4.5],
      [SHAPES, 3],
    ] as const) {
      test(`have a contrast of ${least} at least`, () => {
        for (const [text, grounds] of Object.entries(pairs)) {
          for (const ground of grounds) {
            const found = contrast(colours.get(text)!, colours.get(ground)!);
            assert.ok(found >= least, `${text} on ${ground}: ${found.toFixed(2)}`);
          }
        }
      });
    }
  });
}

test('both have the same names', () => {
  assert.deepEqual([...dark!.keys()], [...light!.keys()]);
});
