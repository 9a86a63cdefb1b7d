// Client of the admin API with the token of the signed-in user. Runs in the browser.

import type {
  Caller,
  Certificate,
  Change,
  EndpointAlone,
  Explained,
  FeedEvent,
  Hour,
  Provider,
  Revision,
  Revisions,
  RouteMap,
  Why,
} from '../types.ts';

/** Relative to the folder of the page, so that both work behind a path prefix. */
const BASE = new URL('../api/v1/', document.baseURI);
/** Stored for this tab: it survives a reload of the page and ends with the tab. */
const TOKEN_KEY = 'fairlead.token';

/** An error reply with the message of the API. */
export class ApiError extends Error {
  /** 0 where no reply arrived. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

export const token = {
  read: (): string => sessionStorage.getItem(TOKEN_KEY) ?? '',
  keep: (value: string): void => sessionStorage.setItem(TOKEN_KEY, value),
  forget: (): void => sessionStorage.removeItem(TOKEN_KEY),
};

/** Sends a request. @param path below /api/v1/ @throws ApiError for a status that isn't good, and without a reply */
export async function request(path: string, options: RequestInit = {}): Promise<Response> {
  const headers = new Headers(options.headers);
  if (token.read() !== '') headers.set('Authorization', `Bearer ${token.read()}`);
  const init: RequestInit = { ...options, headers, cache: 'no-store', redirect: 'error' };
  const response = await fetch(new URL(path, BASE), init).catch((error: unknown) => {
    if (options.signal?.aborted === true) throw error;
    throw new ApiError(0, 'Fairlead does not answer');
  });
  if (!response.ok) throw await errorOf(response);
  return response;
}

async function errorOf(response: Response): Promise<ApiError> {
  const problem: { detail?: string } = await response.json().catch(() => ({}));
  return new ApiError(response.status, problem.detail ?? `status ${response.status}`);
}

async function read<Reply>(path: string): Promise<Reply> {
  return (await (await request(path)).json()) as Reply;
}

function endpointPath(upstream: string, endpoint: string): string {
  return `endpoints/${encodeURIComponent(upstream)}/${encodeURIComponent(endpoint)}`;
}

export const readCaller = (): Promise<Caller> => read('caller');

export const readVersion = (): Promise<{ version: string }> => read('version');

/** The newest events, oldest first. */
export async function readEvents(): Promise<readonly FeedEvent[]> {
  return (await read<{ events: FeedEvent[] }>('events')).events;
}

export const readWhy = (upstream: string, endpoint: string): Promise<Why> =>
  read(`${endpointPath(upstream, endpoint)}/why`);

/** Steps of the last hour after a time; '' for all. */
export const readHour = (since: string): Promise<Hour> =>
  read(since === '' ? 'history' : `history?since=${encodeURIComponent(since)}`);

export const readRoutes = (): Promise<RouteMap> => read('routes');

export async function readRevisions(): Promise<Revisions> {
  return (await read<{ revisions: Revisions }>('revisions')).revisions;
}

export const readRevision = (generation: number): Promise<Revision> => read(`revisions/${generation}`);

export async function readCertificates(): Promise<readonly Certificate[]> {
  return (await read<{ certificates: Certificate[] }>('certificates')).certificates;
}

/** Providers with the objects that they refuse. */
export async function readProviders(): Promise<readonly Provider[]> {
  return (await read<{ providers: Provider[] }>('providers')).providers;
}

export const readExplanation = (query: URLSearchParams): Promise<Explained> => read(`explain?${query.toString()}`);

/** The entity tag of the operator's settings: a change sends it, so that it cannot silently undo another one. */
export async function readTag(upstream: string, endpoint: string): Promise<string> {
  const answer = await request(endpointPath(upstream, endpoint));
  // An unread body would keep the connection.
  await answer.arrayBuffer();
  return answer.headers.get('ETag') ?? '*';
}

export async function sendChange(upstream: string, endpoint: string, change: Change, tag: string) {
  const answer = await request(endpointPath(upstream, endpoint), {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/json', 'If-Match': tag },
    body: JSON.stringify(change),
  });
  return (await answer.json()) as EndpointAlone;
}
