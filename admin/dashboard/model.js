// Model of the tables: rows, filters, orders, sums, and the effect of a change. Pure. Runs in the browser.

/** @import { Change, Live, LiveUpstream, Row, State } from './types.d.ts' */

import { isProblem, STATES, worstRank } from './states.js';

/** @typedef {'' | 'problem' | State} StateFilter */
/** @typedef {{ text: string, state: StateFilter, upstream: string }} Filter */
/** @typedef {'state' | 'name' | 'since' | 'weight' | 'connections' | 'inFlight' | 'queued' | 'requestsPerSecond' | 'errorShare' | 'p50Ms' | 'p99Ms'} Column */
/** @typedef {{ column: Column, isDescending: boolean }} Order */

/** One row for each endpoint. @param {Live} live @returns {Row[]} */
export function rowsOf({ upstreams }) {
  return upstreams.flatMap(({ name: upstream, endpoints }) =>
    endpoints.map((endpoint) => ({ ...endpoint, upstream, key: `${upstream}/${endpoint.name}` })),
  );
}

/** Words of the text must all occur in name, cause or state. @param {readonly Row[]} rows @param {Filter} filter */
export function filterRows(rows, { text, state, upstream }) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (upstream !== '' && row.upstream !== upstream) return false;
    if (state === 'problem' ? !isProblem(row.availability) : state !== '' && row.availability !== state) return false;
    if (words.length === 0) return true;
    const haystack = `${row.key} ${STATES[row.availability].label} ${row.cause}`.toLowerCase();
    return words.every((word) => haystack.includes(word));
  });
}

const BY_NAME = new Intl.Collator('en', { numeric: true });

/** @type {Readonly<Record<Column, (row: Row) => number | string | null>>} */
const VALUES = {
  state: ({ availability }) => STATES[availability].rank,
  name: ({ key }) => key,
  since: ({ since }) => Date.parse(since),
  weight: ({ weight }) => weight,
  connections: ({ connections }) => connections,
  inFlight: ({ inFlight }) => inFlight,
  queued: ({ queued }) => queued,
  requestsPerSecond: ({ requestsPerSecond }) => requestsPerSecond,
  errorShare: ({ errorShare }) => errorShare,
  p50Ms: ({ p50Ms }) => p50Ms,
  p99Ms: ({ p99Ms }) => p99Ms,
};

/** By a column, then by name; what isn't known comes last either way. @param {readonly Row[]} rows @param {Order} order */
export function sortRows(rows, { column, isDescending }) {
  const valueOf = VALUES[column];
  const sign = isDescending ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x === null || y === null) return x === y ? BY_NAME.compare(a.key, b.key) : x === null ? 1 : -1;
    const difference = typeof x === 'string' ? BY_NAME.compare(x, String(y)) : x - Number(y);
    return difference === 0 ? BY_NAME.compare(a.key, b.key) : sign * difference;
  });
}

/** Those with the gravest endpoint first. @param {readonly LiveUpstream[]} upstreams */
export function sortUpstreams(upstreams) {
  return upstreams.toSorted((a, b) => worstRank(a) - worstRank(b) || BY_NAME.compare(a.name, b.name));
}

/** Sums over everything. @param {Live} live */
export function summaryOf({ upstreams, requestsPerSecond }) {
  const states = upstreams.flatMap(({ endpoints }) => endpoints.map(({ availability }) => availability));
  return {
    requestsPerSecond,
    queued: upstreams.reduce((sum, { queued }) => sum + queued, 0),
    endpoints: states.length,
    problems: states.filter(isProblem).length,
    setAside: states.filter((state) => STATES[state].tone === 'set').length,
  };
}

/**
 * Describes the effect of a change for confirmation; `isGrave` when no usable endpoint would be left.
 * @param {Live} live @param {Row} row @param {Change} change
 * @returns {{ text: string, isGrave: boolean }}
 */
export function consequenceOf({ upstreams }, row, change) {
  if ('weight' in change) return { text: weightText(row, change.weight), isGrave: false };
  if (change.admin === 'ready') {
    const text = 'It gets requests as soon as heartbeats and live traffic allow.';
    return { text, isGrave: false };
  }
  const others = upstreams.find(({ name }) => name === row.upstream)?.endpoints ?? [];
  const left = others.filter(({ name, availability }) => name !== row.name && STATES[availability].isUsable).length;
  const flight = row.inFlight === 0 ? '' : ` ${row.inFlight} in flight may end in peace.`;
  const kind =
    change.admin === 'drain'
      ? 'New requests go elsewhere, but for clients that are sticky to it; heartbeats go on.'
      : 'No requests at all, and no heartbeats.';
  if (left === 0) {
    const grave = `No other endpoint of ${row.upstream} is up: expect requests to fail.`;
    return { text: `${kind}${flight} ${grave}`, isGrave: true };
  }
  return {
    text: `${kind}${flight} ${left} other ${left === 1 ? 'endpoint' : 'endpoints'} of ${row.upstream} ${left === 1 ? 'is' : 'are'} up.`,
    isGrave: false,
  };
}

/** @param {Row} row @param {number | null} weight */
function weightText({ weight: before, configuredWeight }, weight) {
  const after = weight ?? configuredWeight;
  const until = weight === null ? 'as configured' : `until the configured weight (${configuredWeight}) changes`;
  return `Weight ${before} becomes ${after}, ${until}.`;
}
