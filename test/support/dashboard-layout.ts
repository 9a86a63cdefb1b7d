// Checks of the dashboard's layout in a browser: text that is cut off, elements outside the page, overlapping text, and the
// rules of axe-core. Thread: main.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

/**
 * Returns one line for each fault. Runs in the page: text in a box that hides what is too wide, boxes beyond the right edge
 * of the page, and boxes of text that cover each other.
 */
const FAULTS = `(() => {
  const faults = [];
  const nameOf = (element) => element.tagName + (element.id ? '#' + element.id : '') + '.' + element.className
    + ' "' + element.textContent.trim().slice(0, 40) + '"';
  const isShown = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const texts = [];
  for (const element of document.querySelectorAll('body *')) {
    if (!isShown(element) || element.closest('.unseen, .skip, .u-wrap, canvas, option, noscript')) continue;
    const style = getComputedStyle(element);
    const isClipped = style.overflowX !== 'visible' && style.overflowX !== 'auto' && style.overflowX !== 'scroll';
    const isField = /^(INPUT|SELECT|TEXTAREA)$/.test(element.tagName);
    if (isClipped && !isField && element.scrollWidth > element.clientWidth + 1) faults.push('cut off: ' + nameOf(element));
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
    if (!hasText) continue;
    const range = document.createRange();
    range.selectNodeContents(element);
    for (const box of range.getClientRects()) {
      if (box.width < 1 || box.height < 1) continue;
      if (box.right > document.documentElement.clientWidth + 1) faults.push('outside: ' + nameOf(element));
    }
    texts.push(element);
  }
  const inView = texts.filter((element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return bottom > 0 && top < innerHeight && !element.closest('header, .menu, dialog');
  }).slice(0, 600);
  const boxes = inView.map((element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return { element, box: range.getBoundingClientRect() };
  });
  for (const [index, a] of boxes.entries()) {
    for (const b of boxes.slice(index + 1)) {
      if (a.element.contains(b.element) || b.element.contains(a.element)) continue;
      const width = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
      const height = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
      if (width > 2 && height > 4 && !isInline(a.element, b.element)) {
        faults.push('overlap: ' + nameOf(a.element) + ' and ' + nameOf(b.element));
      }
    }
  }
  // Inline boxes of one paragraph have rectangles that share lines.
  function isInline(a, b) {
    const inline = (element) => getComputedStyle(element).display === 'inline';
    return inline(a) && inline(b) && a.parentElement === b.parentElement;
  }
  if (document.documentElement.scrollWidth > innerWidth) faults.push('the page is wider than the screen');
  return faults;
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
