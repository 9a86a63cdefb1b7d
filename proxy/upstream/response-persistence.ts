// Whether and for how long a response lets its connection be reused. Thread: worker.

import { FieldKind } from '../http1/field-kind.ts';
import type { MessageHead } from '../http1/message-head.ts';

/** Upper bound on the keep-alive time, whether configured as unlimited or announced by an endpoint. */
export const MAX_KEEP_ALIVE_MS = 600_000;
/** Subtracted from an endpoint's announced timeout, so that we close first and avoid the stale connection race. */
export const KEEP_ALIVE_MARGIN_MS = 2000;
/** A timeout of more than six digits (11 days) is ignored. */
const TIMEOUT = /(?:^|,)[ \t]*timeout=(\d{1,6})(?:[ \t]*(?:,|$))/i;

const NO_CONTENT = 204;
const NOT_MODIFIED = 304;

/**
 * Whether a status without a body carries framing fields that announce one: if the endpoint sends that body, it would
 * be read as the next response (response queue poisoning).
 */
export function announcesForbiddenBody(head: MessageHead): boolean {
  if (head.status !== NO_CONTENT && head.status !== NOT_MODIFIED) return false;
  if (head.has(FieldKind.TRANSFER_ENCODING)) return true;
  return head.has(FieldKind.CONTENT_LENGTH) && !/^0*$/.test(head.field('content-length')!);
}

/** The timeout that a Keep-Alive field announces, in ms; -1 if there is none. */
export function announcedTimeoutMs(head: MessageHead): number {
  if (!head.has(FieldKind.KEEP_ALIVE)) return -1;
  const timeout = TIMEOUT.exec(head.field('keep-alive') ?? '')?.[1];
  return timeout === undefined ? -1 : Math.min(Number(timeout) * 1000, MAX_KEEP_ALIVE_MS);
}

/** The configured keep-alive time, in ms; 0 means no limit of ours. */
export function configuredKeepAliveMs(keepAliveMs: number): number {
  return keepAliveMs === 0 ? MAX_KEEP_ALIVE_MS : keepAliveMs;
}
