// Client of the admin API with the token of the signed-in user. Runs in the browser.

/** @import { Caller, Change, EndpointAlone, FeedEvent, Why } from './types.d.ts' */

/** Relative to the folder of the page, so that both work behind a path prefix. */
const BASE = new URL('../api/v1/', document.baseURI);
/** Stored for this tab: it survives a reload of the page and ends with the tab. */
const TOKEN_KEY = 'fairlead.token';

/** An error reply with the message of the API. */
export class ApiError extends Error {
  status;
  code;

  /** @param {number} status @param {string} code @param {string} message */
  constructor(status, code, message) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
  }
}

export const token = {
  read: () => sessionStorage.getItem(TOKEN_KEY) ?? '',
  /** @param {string} value */
  keep: (value) => sessionStorage.setItem(TOKEN_KEY, value),
  forget: () => sessionStorage.removeItem(TOKEN_KEY),
};

/**
 * Asks. @param {string} path below /api/v1/ @param {RequestInit} [options]
 * @returns {Promise<Response>}
 * @throws {ApiError} for a status that isn't good; status 0 where nobody answered
 */
export async function request(path, options = {}) {
  const headers = new Headers(options.headers);
  if (token.read() !== '') headers.set('Authorization', `Bearer ${token.read()}`);
  const init = {
    ...options,
    headers,
    cache: /** @type {const} */ ('no-store'),
    redirect: /** @type {const} */ ('error'),
  };
  const response = await fetch(new URL(path, BASE), init).catch((error) => {
    if (options.signal?.aborted === true) throw error;
    throw new ApiError(0, 'no-answer', 'Fairlead does not answer');
  });
  if (!response.ok) throw await errorOf(response);
  return response;
}

/** @param {Response} response */
async function errorOf(response) {
  const problem = await response.json().catch(() => ({}));
  return new ApiError(
    response.status,
    String(problem.code ?? ''),
    String(problem.detail ?? `status ${response.status}`),
  );
}

/** @param {string} upstream @param {string} endpoint */
function endpointPath(upstream, endpoint) {
  return `endpoints/${encodeURIComponent(upstream)}/${encodeURIComponent(endpoint)}`;
}

/** @returns {Promise<Caller>} */
export async function askCaller() {
  return await (await request('caller')).json();
}

/** @returns {Promise<{ version: string, pid: number }>} */
export async function askVersion() {
  return await (await request('version')).json();
}

/** The newest, oldest first. @param {number} limit @returns {Promise<FeedEvent[]>} */
export async function askEvents(limit) {
  const answer = await (
    await request(`events?kind=change&kind=reload&kind=maintenance&kind=split&limit=${limit}`)
  ).json();
  return answer.events;
}

/** @param {string} upstream @param {string} endpoint @returns {Promise<Why>} */
export async function askWhy(upstream, endpoint) {
  return await (await request(`${endpointPath(upstream, endpoint)}/why`)).json();
}

/**
 * The entity tag of the operator's settings: a change names it, so that it cannot silently undo another one.
 * @param {string} upstream @param {string} endpoint
 */
export async function askTag(upstream, endpoint) {
  const answer = await request(endpointPath(upstream, endpoint));
  // An unread body would keep the connection.
  await answer.arrayBuffer();
  return answer.headers.get('ETag') ?? '*';
}

/** @param {string} upstream @param {string} endpoint @param {Change} change @param {string} tag @returns {Promise<EndpointAlone>} */
export async function sendChange(upstream, endpoint, change, tag) {
  const answer = await request(endpointPath(upstream, endpoint), {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/json', 'If-Match': tag },
    body: JSON.stringify(change),
  });
  return await answer.json();
}
