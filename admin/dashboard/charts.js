// Small line charts with uPlot. Only visible charts are drawn. A chart is an image; its label describes the content in
// words. Runs in the browser.

import { make, setAttribute } from './dom.js';
import { clock } from './format.js';
import { SAMPLES } from './history.js';
import uPlot from './uPlot.esm.js';

/** @typedef {'rate' | 'error' | 'fast' | 'slow'} Ink */
/**
 * @typedef {object} ChartParts
 * @property {string} title
 * @property {readonly { ink: Ink, name: string }[]} lines
 * @property {(value: number | null) => string} format
 * @property {number} width
 * @property {number} height
 * @property {boolean} [hasAxes]
 */

/** Minimum time span of a chart, so that two points don't look like a trend. */
const LEAST_SECONDS = 60;

/** @type {Set<Chart>} */
const all = new Set();

const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    for (const chart of all) if (chart.element === target) chart.show(isIntersecting);
  }
});

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const chart of all) chart.repaint();
});

export class Chart {
  element;
  #parts;
  /** @type {uPlot | null} */
  #plot = null;
  #isInSight = false;
  /** @type {uPlot.AlignedData} */
  #data = [[]];

  /** @param {ChartParts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.element = make('div', { class: parts.hasAxes ? 'chart' : 'spark', role: 'img', 'aria-label': parts.title });
    all.add(this);
    sight.observe(this.element);
  }

  /** Times in seconds, then the values of each line. @param {[number[], ...(number | null)[][]]} data */
  draw(data) {
    this.#data = data;
    if (this.#isInSight) this.#paint();
  }

  /** @param {boolean} isInSight */
  show(isInSight) {
    this.#isInSight = isInSight;
    if (isInSight) this.#paint();
  }

  /** Redraws with the current colours. */
  repaint() {
    this.#plot?.destroy();
    this.#plot = null;
    if (this.#isInSight) this.#paint();
  }

  remove() {
    all.delete(this);
    sight.unobserve(this.element);
    this.#plot?.destroy();
    this.element.remove();
  }

  #paint() {
    setAttribute(this.element, 'aria-label', labelOf(this.#parts, this.#data));
    if (this.#plot === null) this.#plot = new uPlot(optionsOf(this.#parts), this.#data, this.element);
    else this.#plot.setData(this.#data);
  }
}

/** @param {ChartParts} parts @param {uPlot.AlignedData} data */
function labelOf({ title, lines, format }, data) {
  const words = lines.map(({ name }, index) => {
    const values = (data[index + 1] ?? []).filter((value) => typeof value === 'number');
    if (values.length === 0) return `${name} not known`;
    return `${name} ${format(values.at(-1) ?? null)}, at most ${format(Math.max(...values))}`;
  });
  return `${title}: ${words.join('; ')}`;
}

/** @param {string} name of a colour in the style sheet */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** @param {ChartParts} parts @returns {uPlot.Options} */
function optionsOf({ lines, format, width, height, hasAxes = false }) {
  return {
    width,
    height,
    padding: hasAxes ? [8, 8, 0, 0] : [2, 1, 2, 1],
    legend: { show: false },
    cursor: { show: false },
    select: { show: false, left: 0, top: 0, width: 0, height: 0 },
    scales: {
      // A line enters from the right; it is stretched only while it covers less than four minutes.
      x: {
        range: (_plot, first, last) => {
          const seconds = Math.min(SAMPLES, Math.max(LEAST_SECONDS, (last ?? 0) - (first ?? 0)));
          return [(last ?? 0) - seconds, last ?? 0];
        },
      },
      y: { range: (_plot, _least, most) => [0, Math.max(most ?? 0, 1) * 1.1] },
    },
    axes: hasAxes ? axesOf(format) : [{ show: false }, { show: false }],
    series: [{}, ...lines.map(({ ink }) => seriesOf(ink))],
  };
}

/** @param {Ink} ink @returns {uPlot.Series} */
function seriesOf(ink) {
  const isFilled = ink === 'rate' || ink === 'slow';
  const fill = isFilled ? { fill: colour(`ink-${ink}-fill`) } : {};
  return { stroke: colour(`ink-${ink}`), width: 1.25, points: { show: false }, spanGaps: false, ...fill };
}

/** @param {(value: number | null) => string} format @returns {uPlot.Axis[]} */
function axesOf(format) {
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
