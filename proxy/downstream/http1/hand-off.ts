// Decides what the engine does with a request head: serve it, hand the connection off to node:http, or refuse it. The only
// file that decides it. Thread: worker.

import type { Unparsable } from '../../../core/exchange-contract.ts';
import { CODEC_ERRORS, CodecError } from '../../http1/codec-error.ts';
import { FieldKind } from '../../http1/field-kind.ts';
import { type MessageHead, Method } from '../../http1/message-head.ts';

/** Decision on a head. */
export const Verdict = {
  SERVE: 0,
  /** node:http takes the connection over and parses the head again. */
  HAND_OFF: 1,
  /** Answered at once, and the connection is closed. Never forwarded, however another parser would read it. */
  REFUSE: 2,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** @param error 0 for a head that is whole and framed, else a CodecError of scanning or framing it */
export function verdictOn(head: MessageHead, error: number): Verdict {
  if (error !== 0) return CODEC_ERRORS[error]!.isHandedOff ? Verdict.HAND_OFF : Verdict.REFUSE;
  // The engine doesn't switch protocols. node:http knows a fixed list of methods, so that others stay here: to ignore an
  // Upgrade is always allowed (RFC 9110 section 7.8).
  return head.has(FieldKind.UPGRADE) && head.method !== Method.OTHER ? Verdict.HAND_OFF : Verdict.SERVE;
}

const UNPARSABLE_OF: Readonly<Record<number, Unparsable>> = {
  [CodecError.METHOD_TOO_LONG]: 'method-not-served',
  [CodecError.TARGET_TOO_LONG]: 'target-too-long',
  [CodecError.UNKNOWN_TRANSFER_CODING]: 'coding-unknown',
  [CodecError.UNKNOWN_EXPECTATION]: 'expectation-unknown',
  [CodecError.VERSION_NOT_SUPPORTED]: 'version-not-supported',
  [CodecError.TOO_MANY_FIELDS]: 'too-many-fields',
  [CodecError.HEAD_TOO_LARGE]: 'head-too-large',
};

/** The reason to refuse a request. @param error a CodecError */
export function unparsableOf(error: number): Unparsable {
  return UNPARSABLE_OF[error] ?? 'malformed';
}
