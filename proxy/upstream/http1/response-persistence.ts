// What an endpoint's response says about using its connection again. Thread: worker.

import { FieldKind } from '../../http1/field-kind.ts';
import type { MessageHead } from '../../http1/message-head.ts';

/** An endpoint's Keep-Alive hint counts up to here. */
const MAX_KEEP_ALIVE_MS = 600_000;
/** What is taken off the hint, so that we close before the endpoint does (the stale connection race). */
const KEEP_ALIVE_MARGIN_MS = 2000;
/** Digits that make sense: a hint of more seconds is as good as none. */
const TIMEOUT = /(?:^|,)[ \t]*timeout=(\d{1,6})(?:[ \t]*(?:,|$))/i;

const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/**
 * Whether a status without a body announces one: an endpoint that sends it all the same would have it read as the next
 * response (response queue poisoning).
 */
export function announcesBody(head: MessageHead): boolean {
  if (head.status !== NO_CONTENT && head.status !== NOT_MODIFIED) return false;
  if (head.has(FieldKind.TRANSFER_ENCODING)) return true;
  return head.has(FieldKind.CONTENT_LENGTH) && !/^0*$/.test(head.field('content-length')!);
}

/** How long an idle connection is kept by the hint of a response; `otherwise` where it gives none. In ms. */
export function keepAliveMsOf(head: MessageHead, otherwise: number): number {
  const hint = TIMEOUT.exec(head.field('keep-alive') ?? '')?.[1];
  if (hint === undefined) return otherwise;
  return Math.min(Number(hint) * 1000, MAX_KEEP_ALIVE_MS) - KEEP_ALIVE_MARGIN_MS;
}

/** The configured time; 0 there means no limit of ours. */
export function keepAliveMsFor(configuredMs: number): number {
  return configuredMs === 0 ? MAX_KEEP_ALIVE_MS : configuredMs;
}
