// The head of the page, and the counts above the tables. Runs in the browser.

/** @import { Live, Row, State } from './types.d.ts' */

import { byId, setAttribute, setText } from './dom.js';
import { count, rate, span } from './format.js';
import { summaryOf } from './model.js';
import { isProblem, STATES } from './states.js';

/** @param {Live} live */
export function showHead(live) {
  const { ready, notReadyBecause, generation, generations, uptimeSeconds, workers, exchanges, connections } = live;
  const sum = summaryOf(live);
  const readiness = byId('readiness', HTMLElement);
  setText(readiness, ready ? '● ready' : `✕ not ready: ${notReadyBecause.join(', ')}`);
  setAttribute(readiness, 'data-tone', ready ? 'good' : 'bad');
  const health = byId('health', HTMLElement);
  const aside = sum.setAside === 0 ? '' : `, ${count(sum.setAside)} set aside`;
  setText(
    health,
    sum.problems === 0
      ? `● no problems${aside}`
      : `! ${count(sum.problems)} of ${count(sum.endpoints)} need a look${aside}`,
  );
  setAttribute(health, 'data-tone', sum.problems === 0 ? 'good' : 'bad');
  showMaintenance(live);
  const listening = workers.filter(({ state }) => state === 'listening').length;
  const older = generations.length - 1;
  const facts = {
    'fact-rate': rate(sum.requestsPerSecond),
    'fact-exchanges': count(exchanges),
    'fact-connections': count(connections),
    'fact-queued': count(sum.queued),
    'fact-generation': `${generation}${older > 0 ? ` (+${older} older)` : ''}`,
    'fact-workers': `${listening} of ${workers.length}`,
    'fact-uptime': span(uptimeSeconds),
  };
  for (const [id, text] of Object.entries(facts)) setText(byId(id, HTMLElement), text);
  const title = sum.problems === 0 ? 'Fairlead' : `(${sum.problems}) Fairlead`;
  if (document.title !== title) document.title = title;
}

/** @param {Live} live */
function showMaintenance({ maintenance }) {
  const notice = byId('maintenance', HTMLElement);
  notice.hidden = maintenance.length === 0;
  const names = maintenance.map(({ of, name }) => `${of} ${name}`).join(', ');
  setText(notice, `‖ In maintenance, answered 503: ${names}`);
}

/** @param {number} shown @param {number} all @param {string} upstream that the table is limited to, or '' */
export function showCounts(shown, all, upstream) {
  setText(byId('shown', HTMLElement), shown === all ? count(all) : `${count(shown)} of ${count(all)}`);
  const button = byId('all-upstreams', HTMLButtonElement);
  button.hidden = upstream === '';
  setText(button, `✕ only ${upstream}`);
  setAttribute(button, 'aria-label', `Show all upstreams, not only ${upstream}`);
  byId('none', HTMLElement).hidden = shown > 0;
}

/** Number of rows for each choice of the filter. @param {readonly Row[]} rows */
export function showFilterCounts(rows) {
  for (const option of byId('state-filter', HTMLSelectElement).options) {
    const wanted = option.value;
    const number = rows.filter(({ availability }) => {
      return wanted === '' || (wanted === 'problem' ? isProblem(availability) : availability === wanted);
    }).length;
    const word =
      wanted === '' ? 'all' : wanted === 'problem' ? 'problems' : STATES[/** @type {State} */ (wanted)].label;
    setText(option, `${word} (${count(number)})`);
  }
}
