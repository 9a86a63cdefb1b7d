// The page: receives the event stream, keeps recent samples, and redraws the visible view once per frame. Runs in the
// browser.

import type { Caller, Certificate, FeedEvent, Live, Row } from './types.ts';
import { Announcer } from './data/announcer.ts';
import { ApiError, readCertificates, readEvents, readHour, readVersion, token } from './data/api.ts';
import { HourHistory } from './data/hour-history.ts';
import { ListenerRates } from './data/listener-rates.ts';
import { LiveFeed } from './data/live-feed.ts';
import { fragmentOf, type Place, placeOf, VIEWS } from './data/place.ts';
import type { ProblemPlace } from './data/problems.ts';
import { RecentSamples } from './data/recent-samples.ts';
import { rowsOf } from './data/rows.ts';
import { samplesOf } from './data/samples.ts';
import { STATES } from './data/states.ts';
import { ChangeDialog } from './parts/change-dialog.ts';
import { batched, byId, setText } from './parts/dom.ts';
import { SignIn } from './parts/sign-in.ts';
import { StaleBanner } from './parts/stale-banner.ts';
import { CertificatesView } from './views/certificates-view.ts';
import { Details } from './views/details.ts';
import { EndpointsView } from './views/endpoints-view.ts';
import { listenToExplainForm } from './views/explain-form.ts';
import { showHead } from './views/head.ts';
import { Overview } from './views/overview.ts';
import { RevisionsView } from './views/revisions-view.ts';
import { RoutesView } from './views/routes-view.ts';
import { SystemView } from './views/system-view.ts';
import { Timeline } from './views/timeline.ts';

/** Interval of the explanation in statuses; events of the endpoint refresh it too. */
const WHY_EVERY_TICKS = 3;
/** Events after which a view fetches its data again. */
const VIEW_EVENTS: Readonly<Partial<Record<Place['view'], readonly FeedEvent['kind'][]>>> = {
  routes: ['reload', 'split', 'provider'],
  configuration: ['reload'],
  system: ['reload', 'provider'],
};
/** Interval of the history, as long as one of its steps, and of the certificates. */
const HOUR_EVERY_MS = 10_000;
const CERTIFICATES_EVERY_MS = 60_000;

let place = placeOf(location.hash);
let live: Live | null = null;
let rows: Row[] = [];
let certificates: readonly Certificate[] = [];
let mayChange = false;
let ticks = 0;
/** Whether the view's own data may have changed: it is fetched with the next status, however many events there were. */
let isViewOld = false;
let hourMs = -Infinity;
let certificatesMs = -Infinity;

const samples = new RecentSamples();
const hour = new HourHistory();
const rates = new ListenerRates();
const draw = batched(drawNow);
const banner = new StaleBanner();
const announcer = new Announcer({
  say: (text) => setText(byId('announcer', HTMLElement), text),
  later: (callback, ms) => void setTimeout(callback, ms),
});

const overview = new Overview(openProblem);
const endpoints = new EndpointsView({ place: () => place, go });
const timeline = new Timeline((endpoint) => go({ view: 'endpoints', endpoint }));
const routes = new RoutesView(
  {
    openUpstream: (upstream) => go({ view: 'endpoints', filter: { ...place.filter, upstream } }),
    openEndpoint: (endpoint) => go({ view: 'endpoints', endpoint }),
  },
  rates,
);
const revisions = new RevisionsView();
const certificatesView = new CertificatesView();
const system = new SystemView();
const dialog = new ChangeDialog((row, { cause }) => {
  announcer.note(row.key, `was changed: ${cause}`);
  void details.load();
});
const details = new Details({
  act: (row, change) => live !== null && dialog.open(live, row, change),
  close: () => go({ endpoint: '' }),
});
const feed = new LiveFeed({
  onOpen: () => void loadAll(),
  onStatus: takeStatus,
  onEvent: takeEvent,
  onLost: (why) => {
    if (banner.isLive) samples.addGap(Date.now() / 1000);
    banner.lose(why);
  },
  onTokenNeeded: () => {
    token.forget();
    showSignedOut();
    signIn.prompt('The token is not valid any more.');
  },
});
const signIn = new SignIn(showSignedIn);

function showSignedIn({ who, role }: Caller): void {
  mayChange = role === 'write';
  document.body.classList.remove('signed-out');
  // `the admin API (token NAME)`; without tokens there is no name.
  const name = /\((.*)\)/.exec(who)?.[1] ?? '';
  setText(byId('who', HTMLElement), role === 'write' ? name : `${name}: read only`);
  feed.open();
  draw();
}

function showSignedOut(): void {
  feed.close();
  banner.hide();
  go({ endpoint: '' });
  document.body.classList.add('signed-out');
}

/** Fetches the data that the stream lacks. */
async function loadAll(): Promise<void> {
  await unlessRefused(async () => {
    const [events, { version }] = await Promise.all([readEvents(), readVersion()]);
    timeline.add(events);
    setText(byId('version', HTMLElement), version);
    enterView();
  });
}

/** If a request fails, the stream fails too and reports it. */
async function unlessRefused(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
  draw();
}

function takeStatus(status: Live): void {
  live = status;
  rows = rowsOf(status);
  samples.add(Date.parse(status.at) / 1000, samplesOf(status));
  rates.add(status);
  banner.noteData();
  ticks++;
  if (place.endpoint !== '' && ticks % WHY_EVERY_TICKS === 0) void details.load();
  if (isViewOld) enterView();
  refresh(performance.now());
  draw();
}

/** Fetches the history and the certificates in their intervals. */
function refresh(nowMs: number): void {
  if (nowMs - hourMs >= HOUR_EVERY_MS) {
    hourMs = nowMs;
    void unlessRefused(async () => {
      hour.add(await readHour(hour.newest));
      if (place.view === 'overview') overview.drawCharts(hour);
    });
  }
  if (nowMs - certificatesMs >= CERTIFICATES_EVERY_MS) {
    certificatesMs = nowMs;
    void unlessRefused(async () => {
      certificates = await readCertificates();
    });
  }
}

function takeEvent(event: FeedEvent): void {
  timeline.add([event]);
  if (VIEW_EVENTS[place.view]?.includes(event.kind) === true) isViewOld = true;
  if (event.kind === 'change') {
    const key = `${event.upstream}/${event.endpoint}`;
    announcer.note(key, STATES[event.availability].predicate);
    if (key === place.endpoint) void details.load();
  }
  draw();
}

function openProblem(where: ProblemPlace): void {
  if (where.view !== 'endpoints') {
    go({ view: where.view });
    return;
  }
  const { upstream, endpoint } = where;
  const filter = { text: '', state: endpoint === '' ? ('problem' as const) : ('' as const), upstream };
  go({ view: 'endpoints', filter, endpoint: endpoint === '' ? '' : `${upstream}/${endpoint}` });
}

/** Moves within the page and writes the place into the address. */
function go(change: Partial<Place>): void {
  const before = place;
  place = { ...place, ...change };
  const fragment = fragmentOf(place);
  if (location.hash !== fragment) {
    const url = fragment === '' ? location.pathname + location.search : fragment;
    // Filters would fill the browser's list of visited places.
    if (place.view === before.view) history.replaceState(null, '', url);
    else history.pushState(null, '', url);
  }
  arrive(before);
}

function arrive(before: Place): void {
  if (place.view !== before.view) {
    showView();
    enterView();
    window.scrollTo(0, 0);
  }
  if (place.endpoint !== before.endpoint || place.view !== before.view) openDetails(before.endpoint);
  draw();
}

function showView(): void {
  for (const view of VIEWS) {
    byId(`view-${view}`, HTMLElement).hidden = view !== place.view;
    const link = byId(`nav-${view}`, HTMLAnchorElement);
    if (view === place.view) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

/** Fetches and draws what a view needs besides the status. */
function enterView(): void {
  if (document.body.classList.contains('signed-out')) return;
  isViewOld = false;
  if (place.view === 'overview') overview.drawCharts(hour);
  if (place.view === 'routes') void routes.load().then(draw);
  if (place.view === 'configuration') void revisions.load().then(draw);
  if (place.view === 'system') void system.load().then(draw);
}

/** @param before key of the endpoint that was open */
function openDetails(before: string): void {
  const row = rows.find(({ key }) => key === place.endpoint) ?? null;
  const isOpen = row !== null && place.view === 'endpoints';
  document.body.classList.toggle('has-details', isOpen);
  details.open(isOpen ? row : null);
  if (!isOpen && before !== '' && place.view === 'endpoints') endpoints.focusRow(before);
}

function drawNow(): void {
  if (live === null) return;
  const nowMs = Date.parse(live.at);
  showHead(live);
  if (place.view === 'overview') {
    const reload = timeline.events.find((event) => event.kind === 'reload') ?? null;
    const saturation = hour.newestOf('saturation');
    overview.update({ live, budget: hour.budget, certificates, reload, saturation }, hour);
  }
  if (place.view === 'routes') routes.update(live);
  if (place.view === 'timeline') timeline.update();
  if (place.view === 'configuration') revisions.update(live);
  if (place.view === 'certificates') certificatesView.update(certificates, nowMs);
  if (place.view === 'system') system.update(live);
  if (place.view !== 'endpoints') return;
  endpoints.update(live, rows, hour);
  if (place.endpoint === '') return;
  const row = rows.find(({ key }) => key === place.endpoint);
  if (row === undefined) go({ endpoint: '' });
  else {
    if (byId('details', HTMLElement).hidden) openDetails('');
    details.update(row, samples, nowMs, mayChange);
  }
}

function listen(): void {
  addEventListener('hashchange', () => follow());
  addEventListener('popstate', () => follow());
  document.addEventListener('keydown', (event) => {
    const { target } = event;
    const isTyping = target instanceof HTMLElement && target.matches('input, select, textarea');
    if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      go({ view: 'endpoints' });
      endpoints.focusSearch();
    } else if (event.key === 'Escape' && place.endpoint !== '' && document.querySelector('dialog[open]') === null) {
      go({ endpoint: '' });
    }
  });
}

/** Goes where the address leads: a link, or back. */
function follow(): void {
  const before = place;
  place = placeOf(location.hash);
  if (fragmentOf(before) !== fragmentOf(place)) arrive(before);
}

showView();
listen();
listenToExplainForm();
void signIn.try();
