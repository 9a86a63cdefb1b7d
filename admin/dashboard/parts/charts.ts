// Line charts with uPlot, as wide as their place. Only visible charts are drawn. A chart is an image; its label describes
// the content in words. Runs in the browser.

import { clock } from '../data/format.ts';
import type { ChartData } from '../data/recent-samples.ts';
import { make, setAttribute } from './dom.ts';
import uPlot from './uPlot.esm.js';

export type Ink = 'rate' | 'error' | 'fast' | 'slow';

export interface ChartParts {
  readonly title: string;
  readonly lines: readonly { readonly ink: Ink; readonly name: string }[];
  readonly format: (value: number | null) => string;
  readonly height: number;
  /** Longest time that it covers. */
  readonly seconds: number;
  /** Least highest value of the scale: a line of small noise isn't stretched. */
  readonly least?: number;
  readonly hasAxes?: boolean;
}

/** Minimum time span of a chart, so that two points don't look like a trend. */
const LEAST_SECONDS = 60;

/** Width of a time below the horizontal axis: half of it is beside the last one. */
const LABEL_PX = 56;

const all = new Map<Element, Chart>();

const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) all.get(target)?.show(isIntersecting);
});

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) all.get(target)?.fit();
});

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const chart of all.values()) chart.repaint();
});

export class Chart {
  readonly element: HTMLElement;
  readonly #parts: ChartParts;
  #plot: uPlot | null = null;
  #isInSight = false;
  #data: ChartData = [[]];
  /** Highest value of the scale; 0 for that of the data. */
  #top = 0;

  constructor(parts: ChartParts) {
    this.#parts = parts;
    this.element = make('div', { class: parts.hasAxes ? 'chart' : 'spark', role: 'img', 'aria-label': parts.title });
    all.set(this.element, this);
    sight.observe(this.element);
    sizes.observe(this.element);
  }

  /** @param top highest value of a common scale */
  draw(data: ChartData, top = 0): void {
    this.#data = data;
    this.#top = top;
    if (this.#isInSight) this.#paint();
  }

  show(isInSight: boolean): void {
    this.#isInSight = isInSight;
    if (isInSight) this.#paint();
  }

  /** Takes the width of its place. */
  fit(): void {
    const width = this.element.clientWidth;
    if (this.#plot !== null && width > 0 && this.#plot.width !== width) {
      this.#plot.setSize({ width, height: this.#parts.height });
    }
  }

  /** Redraws with the current colours. */
  repaint(): void {
    this.#plot?.destroy();
    this.#plot = null;
    if (this.#isInSight) this.#paint();
  }

  remove(): void {
    all.delete(this.element);
    sight.unobserve(this.element);
    sizes.unobserve(this.element);
    this.#plot?.destroy();
    this.element.remove();
  }

  #paint(): void {
    setAttribute(this.element, 'aria-label', labelOf(this.#parts, this.#data));
    const width = this.element.clientWidth;
    if (width === 0) return;
    if (this.#plot === null) {
      const options = optionsOf(this.#parts, width, () => this.#top);
      this.#plot = new uPlot(options, this.#data, this.element);
    } else this.#plot.setData(this.#data);
  }
}

function labelOf({ title, lines, format }: ChartParts, data: ChartData): string {
  const words = lines.map(({ name }, index) => {
    const values = (data[index + 1] ?? []).filter((value) => value !== null);
    if (values.length === 0) return `${name} not known`;
    const most = values.reduce((highest, value) => Math.max(highest, value), 0);
    return `${name} ${format(values.at(-1) ?? null)}, at most ${format(most)}`;
  });
  return `${title}: ${words.join('; ')}`;
}

/** @param name of a colour in the style sheet */
function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function optionsOf(
  { lines, format, height, seconds, least = 1, hasAxes = false }: ChartParts,
  width: number,
  top: () => number,
): uPlot.Options {
  return {
    width,
    height,
    padding: hasAxes ? [8, LABEL_PX / 2, 0, 0] : [2, 1, 2, 1],
    legend: { show: false },
    cursor: { show: false },
    select: { show: false, left: 0, top: 0, width: 0, height: 0 },
    scales: {
      // A line enters from the right; it is stretched only while it covers less than the whole time.
      x: {
        range: (_plot, first, last) => {
          const shown = Math.min(seconds, Math.max(LEAST_SECONDS, (last ?? 0) - (first ?? 0)));
          return [(last ?? 0) - shown, last ?? 0];
        },
      },
      y: { range: (_plot, _least, most) => [0, Math.max(most ?? 0, top(), least) * 1.1] },
    },
    axes: hasAxes ? axesOf(format) : [{ show: false }, { show: false }],
    series: [{}, ...lines.map(({ ink }) => seriesOf(ink))],
  };
}

function seriesOf(ink: Ink): uPlot.Series {
  const isFilled = ink === 'rate' || ink === 'slow';
  const fill = isFilled ? { fill: colour(`ink-${ink}-fill`) } : {};
  return { stroke: colour(`ink-${ink}`), width: 1.25, points: { show: false }, spanGaps: false, ...fill };
}

function axesOf(format: (value: number | null) => string): uPlot.Axis[] {
  const look = { stroke: colour('muted'), font: '11px system-ui, sans-serif', ticks: { show: false } };
  const grid = { stroke: colour('line'), width: 1 };
  return [
    {
      ...look,
      grid: { show: false },
      size: 22,
      space: 90,
      values: (_plot, splits) => splits.map((at) => clock(at * 1000)),
    },
    { ...look, grid, size: 58, space: 26, values: (_plot, splits) => splits.map((value) => format(value)) },
  ];
}
