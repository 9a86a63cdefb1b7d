// Data of the page: the API's own reply types, so that the compiler checks both sides.

import type { EndpointAloneReply, WhyAnswer } from '../api/endpoint-schemas.ts';
import type { EventReply, LiveReply } from '../api/reply-schemas.ts';

export type Live = LiveReply;
export type LiveUpstream = LiveReply['upstreams'][number];
export type LiveEndpoint = LiveUpstream['endpoints'][number];
export type State = LiveEndpoint['availability'];
export type RequestedState = LiveEndpoint['operator'];
export type FeedEvent = EventReply;
export type Why = WhyAnswer;
export type EndpointAlone = EndpointAloneReply;

/** A row of the table of endpoints. */
export type Row = LiveEndpoint & { readonly key: string; readonly upstream: string };

/** The state that an operator requests for an endpoint. */
export type Change = { readonly admin: RequestedState } | { readonly weight: number | null };

export type Caller = { readonly who: string; readonly role: 'read' | 'write' };
