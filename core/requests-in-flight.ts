// Requests in flight as operators see them: a bounded list of the oldest, and the clients with the most. Thread: both.

/** A request that has not ended. */
export interface RequestInFlight {
  readonly id: string;
  /** The client's address behind trusted proxies; '' over a Unix socket. */
  readonly client: string;
  readonly listener: string;
  readonly method: string;
  readonly host: string;
  /** Without the query, which may contain secrets; cut. */
  readonly path: string;
  /** '' before it is routed, as the next two where it has none. */
  readonly route: string;
  readonly upstream: string;
  readonly endpoint: string;
  readonly phase: RequestPhase;
  /** Time since its first byte. */
  readonly ageMs: number;
  readonly attempts: number;
  /** Body bytes from and to the client. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

/** Phases of a request, by what it waits for. */
export const REQUEST_PHASES = [
  'routing',
  'queued',
  'connecting',
  'waiting',
  'backoff',
  'responding',
  'uploading',
  'flushing',
  'tunnel',
] as const;

export type RequestPhase = (typeof REQUEST_PHASES)[number];

/** Requests in flight of one client, added up. */
export interface ClientLoad {
  readonly client: string;
  readonly requests: number;
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

export interface RequestsInFlight {
  /** All, listed or not. */
  readonly total: number;
  /** Oldest first, at most MOST_REQUESTS. */
  readonly requests: readonly RequestInFlight[];
  /** Most requests first, at most MOST_CLIENTS. */
  readonly clients: readonly ClientLoad[];
}

/** Of one worker, and of all in a reply: a list that people read, and whose size no client controls. */
export const MOST_REQUESTS = 200;
export const MOST_CLIENTS = 20;

/** Merges the lists of several workers. A client that is beyond MOST_CLIENTS in one of them is counted too low. */
export function mergeRequests(lists: readonly RequestsInFlight[]): RequestsInFlight {
  return {
    total: lists.reduce((sum, { total }) => sum + total, 0),
    requests: oldest(lists.flatMap(({ requests }) => requests)),
    clients: loudest(lists.flatMap(({ clients }) => clients)),
  };
}

/** The oldest ones, oldest first. */
function oldest(requests: readonly RequestInFlight[]): RequestInFlight[] {
  return requests.toSorted((a, b) => b.ageMs - a.ageMs).slice(0, MOST_REQUESTS);
}

/** The clients with the most requests. Several entries of one client are added up. */
export function loudest(loads: Iterable<ClientLoad>): ClientLoad[] {
  const sums = new Map<string, { client: string; requests: number; bytesReceived: number; bytesSent: number }>();
  for (const { client, requests, bytesReceived, bytesSent } of loads) {
    const sum = sums.get(client);
    if (sum === undefined) sums.set(client, { client, requests, bytesReceived, bytesSent });
    else {
      sum.requests += requests;
      sum.bytesReceived += bytesReceived;
      sum.bytesSent += bytesSent;
    }
  }
  return [...sums.values()]
    .toSorted((a, b) => b.requests - a.requests || b.bytesSent - a.bytesSent)
    .slice(0, MOST_CLIENTS);
}
