// Checks of the dashboard's layout in a browser: text that is cut off, content outside its card or the page, text that
// covers other text, and the rules of axe-core. Thread: main.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

/**
 * Returns one line for each fault. Runs in the page. Lines of text are compared by their boxes, each with those that begin
 * before it ends, so that a thousand of them take milliseconds. The content of the sticky head covers that of the views.
 */
const FAULTS = `(() => {
  const faults = new Set();
  const nameOf = (element) => element.tagName + (element.id ? '#' + element.id : '') + '.' + element.className
    + ' "' + (element.textContent || element.value || element.placeholder || '').trim().slice(0, 40) + '"';
  const isShown = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const scrolls = (overflow) => overflow === 'auto' || overflow === 'scroll';
  const { clientWidth } = document.documentElement;
  const lines = [];
  const pen = document.createElement('canvas').getContext('2d');
  for (const element of document.querySelectorAll('body *')) {
    if (element.closest('.unseen, .skip, canvas, option, noscript, svg') || !isShown(element)) continue;
    const style = getComputedStyle(element);
    if (/^(INPUT|SELECT|TEXTAREA|BUTTON)$/.test(element.tagName)) checkField(element, style);
    else if (!element.closest('.u-wrap')) checkClipping(element, style);
    const card = element.closest('section, aside, dialog, .card, header') || document.body;
    const edges = card.getBoundingClientRect();
    for (const box of boxesOf(element)) {
      if (box.right > clientWidth + 1 || box.left < -1) faults.add('outside the page: ' + nameOf(element));
      else if (box.right > edges.right + 1 || box.left < edges.left - 1) faults.add('outside its card: ' + nameOf(element));
      lines.push({ element, box, layer: element.closest('dialog, header') || document.body });
    }
  }
  lines.sort((a, b) => a.box.top - b.box.top);
  for (const [index, a] of lines.entries()) {
    for (let next = index + 1; next < lines.length && lines[next].box.top < a.box.bottom - 3; next++) {
      const b = lines[next];
      if (a.layer !== b.layer || a.element.contains(b.element) || b.element.contains(a.element)) continue;
      const width = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
      const height = Math.min(a.box.bottom, b.box.bottom) - b.box.top;
      if (width > 2 && height > 4) faults.add('overlap: ' + nameOf(a.element) + ' and ' + nameOf(b.element));
    }
  }
  if (document.documentElement.scrollWidth > innerWidth) faults.add('the page is wider than the screen');
  return [...faults].slice(0, 40);

  /** Boxes of the lines of an element's own text, and of a control. */
  function boxesOf(element) {
    if (/^(INPUT|SELECT|TEXTAREA|BUTTON|CANVAS)$/.test(element.tagName)) return [element.getBoundingClientRect()];
    return [...element.childNodes].filter((node) => node.nodeType === 3 && node.data.trim() !== '').flatMap((node) => {
      const range = document.createRange();
      range.selectNodeContents(node);
      return [...range.getClientRects()].filter(({ width, height }) => width >= 1 && height >= 1);
    });
  }

  function checkClipping(element, { overflowX, overflowY, textOverflow }) {
    const [wide, high] = [element.scrollWidth - element.clientWidth, element.scrollHeight - element.clientHeight];
    if (overflowX !== 'visible' && !scrolls(overflowX) && wide > 1) faults.add('cut off: ' + nameOf(element));
    if (overflowY !== 'visible' && !scrolls(overflowY) && high > 2) faults.add('cut off below: ' + nameOf(element));
    if (textOverflow !== 'clip') faults.add('shortened: ' + nameOf(element));
  }

  /** Texts of controls have no scroll width of their own. */
  function checkField(element, style) {
    if (element.tagName === 'BUTTON') {
      if (element.scrollWidth > element.clientWidth + 1) faults.add('cut off: ' + nameOf(element));
      return;
    }
    const text = element.tagName === 'SELECT' ? element.selectedOptions[0]?.text
      : element.value === '' ? element.placeholder : '';
    if (!text) return;
    pen.font = style.font;
    const arrow = element.tagName === 'SELECT' ? 16 : 0;
    const room = element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - arrow;
    if (pen.measureText(text).width > room + 2) faults.add('cut off: ' + nameOf(element) + ' shows "' + text + '"');
  }
})()`;

/** Faults of the layout, one line each. */
export async function layoutFaults(page: Page): Promise<readonly string[]> {
  return await page.evaluate<string[]>(FAULTS);
}

/** The text of axe-core; undefined where it is not installed. */
function axeText(): string | undefined {
  try {
    return readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  } catch {
    return undefined;
  }
}

/** Violations of the rules of axe-core; undefined where it is not installed. */
export async function axeViolations(page: Page): Promise<readonly string[] | undefined> {
  const text = axeText();
  if (text === undefined) return undefined;
  // Evaluated by the debugger: the page's policy permits no foreign script.
  await page.evaluate(`if (!('axe' in window)) { ${text} }`);
  return await page.evaluate<string[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.flatMap(({ id, nodes }) =>
      nodes.slice(0, 3).map(({ html, failureSummary }) => id + ': ' + html.slice(0, 160) + ' ' + failureSummary)))`,
  );
}
