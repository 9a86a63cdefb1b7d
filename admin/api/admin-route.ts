// A row of the admin API's table of routes, and the arguments of its handler. Thread: main.

import type { z } from 'zod';
import type { AdminReply, AdminStream } from './admin-reply.ts';
import type { AdminContext } from '../admin-context.ts';
import type { EventFeed } from './event-feed.ts';
import type { EventStreams } from './event-streams.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { TrafficHistory } from '../metrics/traffic-history.ts';
import type { RevisionTexts } from './revision-texts.ts';
import type { StatusView } from './status-view.ts';

/** Dependencies of handlers. */
export interface AdminParts {
  readonly context: AdminContext;
  readonly status: StatusView;
  readonly metrics: Metrics;
  readonly history: TrafficHistory;
  readonly revisions: RevisionTexts;
  readonly feed: EventFeed;
  readonly streams: EventStreams;
  /** The document that describes the API. */
  readonly openApi: () => AdminReply;
}

/** A request that passed the guards. */
export interface AdminRequest<Body = unknown> {
  /** Segments of the path that the route names, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The body as checked by the route's schema; {} for GET. */
  readonly body: Body;
  readonly ifMatch: string | undefined;
  readonly lastEventId: string | undefined;
  /** Value of Accept. */
  readonly accept: string | undefined;
  /** Whether the client requests a stream of events. */
  readonly wantsStream: boolean;
  /** The caller, for log and events. */
  readonly who: string;
  readonly role: 'read' | 'write';
}

/** A parameter of the query, for the document. */
export interface QueryParameter {
  readonly name: string;
  readonly means: string;
  readonly schema: z.ZodType;
}

export interface AdminRoute {
  /** GET routes serve HEAD too. */
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** `:name` stands for one segment. */
  readonly path: string;
  readonly means: string;
  /** The body of a good reply; a media type where it is no JSON. */
  readonly reply: z.ZodType | string;
  /** Of a change: what its body must be. */
  readonly body?: z.ZodObject;
  readonly query?: readonly QueryParameter[];
  /** Whether replies carry an entity tag, and a change takes If-Match. */
  readonly isTagged?: true;
  /** Whether it also answers as a stream of events. */
  readonly isStream?: true;
  /** Good statuses besides 200, and those of its own that aren't good. */
  readonly statuses?: readonly number[];
  // A method, so that handlers of different bodies fit the same table.
  handle(request: AdminRequest, parts: AdminParts): AdminReply | AdminStream | Promise<AdminReply>;
}

/** A row that changes something: its handler gets the body in the type of its schema. */
export function change<Body>(
  row: Omit<AdminRoute, 'handle' | 'body'> & {
    readonly body: z.ZodObject & z.ZodType<Body>;
    readonly handle: (request: AdminRequest<Body>, parts: AdminParts) => AdminReply | Promise<AdminReply>;
  },
): AdminRoute {
  return { ...row, handle: (request, parts) => row.handle(request as AdminRequest<Body>, parts) };
}
