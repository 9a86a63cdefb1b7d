// The page: receives the event stream, keeps recent samples, and redraws changed parts once per frame. Runs in the
// browser.

/** @import { Filter, Order, StateFilter } from './model.js' */
/** @import { Caller, FeedEvent, Live, Row } from './types.d.ts' */

import { Announcer } from './announcer.js';
import { ApiError, askEvents, askVersion, token } from './api.js';
import { ChangeDialog } from './change-dialog.js';
import { Details } from './details.js';
import { batched, byId, setText } from './dom.js';
import { EndpointTable, makeSortable, showOrder } from './endpoint-table.js';
import { EventsList, MAX_SHOWN } from './events-list.js';
import { History } from './history.js';
import { LiveFeed } from './live-feed.js';
import { rowsOf } from './model.js';
import { showProcess } from './process-facts.js';
import { samplesOf } from './samples.js';
import { SignIn } from './sign-in.js';
import { STATES } from './states.js';
import { showCounts, showFilterCounts, showHead } from './head.js';
import { StaleBanner } from './stale-banner.js';
import { UpstreamTable } from './upstream-table.js';

/** Refresh interval of the explanation in ms; events of the endpoint refresh it too. */
const WHY_EVERY_TICKS = 3;

/** @type {Filter} */
const filter = { text: '', state: '', upstream: '' };
/** @type {Order} */
let order = { column: 'state', isDescending: false };
/** @type {Live | null} */
let live = null;
/** @type {Row[]} */
let rows = [];
let chosen = '';
let mayChange = false;
let ticks = 0;

const history = new History();
const table = byId('endpoints', HTMLTableElement);
const banner = new StaleBanner();
const announcer = new Announcer({
  say: (text) => setText(byId('announcer', HTMLElement), text),
  later: (callback, ms) => void setTimeout(callback, ms),
});
const draw = batched(drawNow);
const endpoints = new EndpointTable(table, choose);
const upstreams = new UpstreamTable(byId('upstreams-body', HTMLElement), (name) => {
  filter.upstream = filter.upstream === name ? '' : name;
  draw();
});
const events = new EventsList(byId('events', HTMLElement), choose);
const dialog = new ChangeDialog((row, { cause }) => {
  announcer.note(row.key, cause);
  void details.ask();
});
const details = new Details({
  act: (row, change) => live !== null && dialog.open(live, row, change),
  close: () => choose(''),
});
const feed = new LiveFeed({
  onOpen: () => void loadEvents(),
  onStatus: takeStatus,
  onEvent: takeEvent,
  onLost: (why) => {
    if (banner.isLive) history.addGap(Date.now() / 1000);
    banner.lose(why);
  },
  onTokenNeeded: () => {
    token.forget();
    showSignedOut();
    signIn.ask('The token is not good any more.');
  },
});
const signIn = new SignIn({ onIn: showSignedIn, onOut: showSignedOut });

/** @param {Caller} caller */
function showSignedIn({ who, role }) {
  mayChange = role === 'write';
  document.body.classList.remove('signed-out');
  // `the admin API (token NAME)`; without tokens there is no name.
  const name = /\((.*)\)/.exec(who)?.[1] ?? '';
  setText(byId('who', HTMLElement), role === 'write' ? name : `${name}: may only look`);
  feed.open();
  draw();
}

function showSignedOut() {
  feed.close();
  banner.hide();
  choose('');
  document.body.classList.add('signed-out');
}

async function loadEvents() {
  try {
    const [list, { version }] = await Promise.all([askEvents(MAX_SHOWN), askVersion()]);
    events.add(list);
    setText(byId('version', HTMLElement), version);
  } catch (error) {
    // If these fail the stream fails too and reports it.
    if (!(error instanceof ApiError)) throw error;
  }
}

/** @param {Live} status */
function takeStatus(status) {
  live = status;
  rows = rowsOf(status);
  history.add(Date.parse(status.at) / 1000, samplesOf(status));
  banner.noteData();
  ticks++;
  if (chosen !== '' && ticks % WHY_EVERY_TICKS === 0) void details.ask();
  draw();
}

/** @param {FeedEvent} event */
function takeEvent(event) {
  events.add([event]);
  if (event.kind !== 'change') return;
  const key = `${event.upstream}/${event.endpoint}`;
  announcer.note(key, STATES[event.availability].label);
  if (key === chosen) void details.ask();
}

/** Opens the pane of an endpoint; '' closes it. @param {string} key */
function choose(key) {
  const before = chosen;
  chosen = rows.some((row) => row.key === key) ? key : '';
  document.body.classList.toggle('has-details', chosen !== '');
  details.open(rows.find((row) => row.key === chosen) ?? null);
  if (chosen === '' && before !== '') endpoints.focus(before);
  draw();
}

function drawNow() {
  if (live === null) return;
  const nowMs = Date.parse(live.at);
  showHead(live);
  upstreams.update(live.upstreams, history, filter.upstream);
  const shown = endpoints.update(rows, { filter, order, nowMs, chosen });
  showOrder(table, order);
  showCounts(shown, rows.length, filter.upstream);
  showFilterCounts(rows);
  showProcess(live);
  const row = rows.find(({ key }) => key === chosen);
  if (row !== undefined) details.update(row, history, nowMs, mayChange);
  else if (chosen !== '') choose('');
}

function listen() {
  const search = byId('search', HTMLInputElement);
  search.addEventListener('input', () => {
    filter.text = search.value;
    draw();
  });
  const states = byId('state-filter', HTMLSelectElement);
  states.addEventListener('change', () => {
    filter.state = /** @type {StateFilter} */ (states.value);
    draw();
  });
  byId('all-upstreams', HTMLButtonElement).addEventListener('click', () => {
    filter.upstream = '';
    draw();
  });
  makeSortable(table, (column) => {
    const isSame = order.column === column;
    // Figures start with the highest, names and states with the first.
    order = { column, isDescending: isSame ? !order.isDescending : !['state', 'name'].includes(column) };
    draw();
  });
  document.addEventListener('keydown', (event) => {
    const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    } else if (event.key === 'Escape' && chosen !== '' && document.querySelector('dialog[open]') === null) choose('');
  });
}

listen();
void signIn.try();
