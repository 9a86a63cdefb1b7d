// A form that asks where a request would go, and the answer in sentences. Runs in the browser.

import type { Explained } from '../types.ts';
import { ApiError, readExplanation } from '../data/api.ts';
import { count, millis, plural } from '../data/format.ts';
import { byId, make } from '../parts/dom.ts';
import { badgeOf } from '../parts/state-badge.ts';

type Upstream = NonNullable<Explained['upstream']>;

/** Makes the form of the page send its request. */
export function listenToExplainForm(): void {
  byId('explain', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void send();
  });
}

async function send(): Promise<void> {
  const answer = byId('explain-answer', HTMLElement);
  const query = new URLSearchParams({
    url: byId('explain-url', HTMLInputElement).value,
    method: byId('explain-method', HTMLInputElement).value || 'GET',
  });
  const client = byId('explain-client', HTMLInputElement).value.trim();
  if (client !== '') query.set('client', client);
  for (const line of byId('explain-headers', HTMLTextAreaElement).value.split('\n')) {
    if (line.trim() !== '') query.append('header', line.trim());
  }
  try {
    answer.replaceChildren(...answerOf(await readExplanation(query)));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    answer.replaceChildren(make('p', { class: 'error', role: 'alert' }, `${error.message}.`));
  }
}

function answerOf(explained: Explained): HTMLElement[] {
  const { listener, upstream, policies, plan } = explained;
  const steps = [
    step('Listener', `${listener.name}: ${listener.because}`),
    step('Route', actionText(explained)),
    ...policies.map(({ name, scope, effect }) =>
      step(`Policy ${name} of the ${scope}`, effect || 'acts on the request'),
    ),
    ...(upstream === null ? [] : [step('Endpoint', choiceText(upstream))]),
    ...(plan === null ? [] : [step('Retries', planText(plan))]),
  ];
  return [make('ol', { class: 'explained' }, ...steps), verdictsOf(explained), ...candidatesOf(upstream)];
}

function step(title: string, text: string): HTMLElement {
  return make('li', {}, make('strong', {}, title), ` ${text}`);
}

function actionText({ route, action, sentTarget }: Explained): string {
  const name = route ?? 'no route matches';
  switch (action.kind) {
    case 'upstream':
      return `${name}, to upstream ${action.upstream}${sentTarget === null ? '' : ` as ${sentTarget}`}`;
    case 'redirect':
      return `${name}, redirects to ${action.location} (${action.status})`;
    case 'respond':
      return `${name}, answers ${action.status}`;
    case 'files':
      return action.file === null ? `${name}, no such file: answers 404` : `${name}, sends the file ${action.file}`;
    default:
      return `${name}, answers ${action.status} (${action.code})`;
  }
}

function choiceText({ choice, name }: Upstream): string {
  const chance = choice.isByChance ? ' The next such request may be sent to another one.' : '';
  return choice.endpoint === null
    ? `none of ${name}: ${choice.because}`
    : `${choice.endpoint}: ${choice.because}.${chance}`;
}

function planText({ mayRepeat, retries, timeouts }: NonNullable<Explained['plan']>): string {
  const again = mayRepeat
    ? 'also after an endpoint has received the request'
    : 'only if no endpoint has received the request';
  const tries = `at most ${plural(retries, 'more attempt')}`;
  return `${tries}, ${again}; connect within ${millis(timeouts.connectMs)}, answer within ${millis(timeouts.responseMs)}`;
}

/** Every route with the reason why it matches or doesn't. */
function verdictsOf({ routes }: Explained): HTMLElement {
  const lines = routes.map(({ name, verdict, wanted, had }) => {
    const text =
      verdict === 'matched'
        ? 'matches'
        : verdict === 'behind'
          ? 'matches too, but an earlier route was first'
          : `${verdict} differs: requires ${wanted.join(', ')}, the request has ${had === '' ? 'none' : had}`;
    return make('li', {}, make('strong', {}, name), ` ${text}`);
  });
  return make('details', {}, make('summary', {}, plural(routes.length, 'route')), make('ol', {}, ...lines));
}

function candidatesOf(upstream: Explained['upstream']): HTMLElement[] {
  if (upstream === null) return [];
  const lines = upstream.candidates.map(({ name, availability, inFlight, weight }) => {
    const text = ` ${name}: ${count(inFlight)} in flight, weight ${weight}`;
    return make('li', { class: 'line' }, badgeOf(availability), text);
  });
  const title = make('summary', {}, plural(lines.length, 'candidate'));
  return [make('details', {}, title, make('ul', { class: 'goal-endpoints' }, ...lines))];
}
