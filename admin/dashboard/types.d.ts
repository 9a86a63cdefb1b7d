// What the page is told: the shapes of the API's own replies, so that the compiler compares both sides.

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

/** What an operator asks of an endpoint. */
export type Change = { readonly admin: RequestedState } | { readonly weight: number | null };

export type Caller = { readonly who: string; readonly role: 'read' | 'write' };
