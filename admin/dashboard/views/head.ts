// The head of the page: readiness, problems, and the most important figures. Runs in the browser.

import type { Live } from '../types.ts';
import { count, plural, rate, span } from '../data/format.ts';
import { summaryOf } from '../data/rows.ts';
import { byId, setAttribute, setText } from '../parts/dom.ts';

export function showHead(live: Live): void {
  const { ready, notReadyBecause, generation, generations, uptimeSeconds, workers, exchanges, connections } = live;
  const sum = summaryOf(live);
  const readiness = byId('readiness', HTMLElement);
  setText(readiness, ready ? '● ready' : `✕ not ready: ${notReadyBecause.join(', ')}`);
  setAttribute(readiness, 'data-tone', ready ? 'good' : 'bad');
  showHealth(sum);
  const listening = workers.filter(({ state }) => state === 'listening').length;
  const older = generations.length - 1;
  const facts = {
    'fact-rate': rate(sum.requestsPerSecond),
    'fact-requests': count(exchanges),
    'fact-connections': count(connections),
    'fact-queued': count(sum.queued),
    'fact-revision': `${generation}${older > 0 ? ` (+${older} older)` : ''}`,
    'fact-workers': `${listening} of ${workers.length}`,
    'fact-uptime': span(uptimeSeconds),
  };
  for (const [id, text] of Object.entries(facts)) setText(byId(id, HTMLElement), text);
  const title = sum.problems === 0 ? 'Fairlead' : `(${sum.problems}) Fairlead`;
  if (document.title !== title) document.title = title;
}

function showHealth({ problems, endpoints, setAside }: ReturnType<typeof summaryOf>): void {
  const health = byId('health', HTMLElement);
  const aside = setAside === 0 ? '' : `, ${count(setAside)} set aside`;
  const ill = `! ${count(problems)} of ${plural(endpoints, 'endpoint')} ${problems === 1 ? 'has' : 'have'} problems`;
  setText(health, `${problems === 0 ? `● ${plural(endpoints, 'endpoint')}, no problems` : ill}${aside}`);
  setAttribute(health, 'data-tone', problems === 0 ? 'good' : 'bad');
}
