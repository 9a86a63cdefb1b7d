// Data of the page: the API's own reply types, so that the compiler checks both sides. Runs in the browser.

import type { CertificateReply } from '../api/certificate-schemas.ts';
import type { EndpointAloneReply, WhyAnswer } from '../api/endpoint-schemas.ts';
import type { ExplainReply } from '../api/explain-schemas.ts';
import type { HistoryReply } from '../api/history-schemas.ts';
import type { EventReply, LiveReply, ProviderReply } from '../api/reply-schemas.ts';
import type { RevisionReply, RevisionsReply } from '../api/revision-schemas.ts';
import type { RoutesReply } from '../api/route-schemas.ts';

export type Live = LiveReply;
export type LiveUpstream = LiveReply['upstreams'][number];
export type LiveEndpoint = LiveUpstream['endpoints'][number];
export type State = LiveEndpoint['availability'];
export type RequestedState = LiveEndpoint['operator'];
export type FeedEvent = EventReply;
export type ChangeEvent = Extract<EventReply, { kind: 'change' }>;
export type Why = WhyAnswer;
export type EndpointAlone = EndpointAloneReply;
export type Hour = HistoryReply;
export type RouteMap = RoutesReply;
export type Explained = ExplainReply;
export type Revisions = RevisionsReply['revisions'];
export type Revision = RevisionReply;
export type Certificate = CertificateReply;
export type Provider = ProviderReply;

/** A row of the table of endpoints. */
export type Row = LiveEndpoint & { readonly key: string; readonly upstream: string };

/** The state or weight that an operator requests for an endpoint. */
export type Change = { readonly admin: RequestedState } | { readonly weight: number | null };

export interface Caller {
  readonly who: string;
  readonly role: 'read' | 'write';
}

/** Colours of a state or a sentence. */
export type Tone = 'bad' | 'warn' | 'set' | 'good';
