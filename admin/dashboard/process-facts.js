// Facts about the process: configuration revisions, workers, listeners. Runs in the browser.

/** @import { Live } from './types.d.ts' */

import { make, setText } from './dom.js';
import { count, span } from './format.js';

/** Tables by their id, and the texts of their rows. @type {Readonly<Record<string, (live: Live) => string[][]>>} */
const TABLES = {
  generations: ({ generations }) =>
    generations.map(({ generation, ageSeconds, workers, exchanges, isCurrent }) => [
      `${generation}${isCurrent ? ' (runs)' : ''}`,
      span(ageSeconds),
      count(workers),
      count(exchanges),
    ]),
  workers: ({ workers }) =>
    workers.map(({ worker, state, restarts, generation, exchanges, connections, upgraded }) => [
      String(worker),
      state,
      String(generation),
      count(exchanges),
      count(connections),
      count(upgraded),
      count(restarts),
    ]),
  listeners: ({ listeners }) =>
    listeners.map(({ name, address, tls, connections, http2Connections, streams, connectionsRefused, badRequests }) => [
      name,
      `${address ?? 'not bound'}${tls ? ' TLS' : ''}`,
      count(connections),
      count(http2Connections),
      count(streams),
      count(connectionsRefused),
      count(badRequests),
    ]),
};

/** Writes them into the tables of the page. @param {Live} live */
export function showProcess(live) {
  for (const [id, rowsOf] of Object.entries(TABLES)) {
    const body = document.querySelector(`#${id} tbody`);
    if (body !== null) fill(body, rowsOf(live));
  }
}

/** @param {Element} body @param {string[][]} rows */
function fill(body, rows) {
  while (body.childElementCount > rows.length) body.lastElementChild?.remove();
  for (const [index, texts] of rows.entries()) {
    const row = body.children[index] ?? body.appendChild(rowOf(texts.length));
    for (const [column, text] of texts.entries()) {
      const cell = row.children[column];
      if (cell !== undefined) setText(cell, text);
    }
  }
}

/** @param {number} columns */
function rowOf(columns) {
  const cells = Array.from({ length: columns - 1 }, () => make('td'));
  return make('tr', {}, make('th', { scope: 'row' }), ...cells);
}
