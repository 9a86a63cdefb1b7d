// Decides what the fast path does with a request's head: serve it, hand its connection to the general path, or refuse
// it. The only file that does. Thread: worker.

import type { Unparsable } from '../../../core/exchange-contract.ts';
import { CODEC_ERRORS, CodecError } from '../../http1/codec-error.ts';
import { FieldKind, kindSet } from '../../http1/field-kind.ts';
import { type MessageHead, Method } from '../../http1/message-head.ts';

/** What is done with a head. */
export const Verdict = {
  SERVE: 0,
  /** The general path gets the connection and reads the head again. */
  HAND_OFF: 1,
  /** Answered at once, and the connection is closed: never forwarded, whatever another parser would make of it. */
  REFUSE: 2,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** Fields that ask for more than the fast path does: a switch of protocols, and a 100 before the body. */
const EXOTIC_FIELDS = kindSet(FieldKind.UPGRADE, FieldKind.EXPECT);

/** @param error 0 for a head that is whole and framed, else a CodecError of scanning or framing it */
export function verdictOn(head: MessageHead, error: number): Verdict {
  if (error !== 0) return CODEC_ERRORS[error]!.isHandedOff ? Verdict.HAND_OFF : Verdict.REFUSE;
  // Which unknown methods are served is the general path's to say.
  return head.hasAny(EXOTIC_FIELDS) || head.method === Method.OTHER ? Verdict.HAND_OFF : Verdict.SERVE;
}

const UNPARSABLE_OF: Readonly<Record<number, Unparsable>> = {
  [CodecError.METHOD_TOO_LONG]: 'method-not-served',
  [CodecError.TARGET_TOO_LONG]: 'target-too-long',
  [CodecError.VERSION_NOT_SUPPORTED]: 'version-not-supported',
  [CodecError.TOO_MANY_FIELDS]: 'too-many-fields',
  [CodecError.HEAD_TOO_LARGE]: 'head-too-large',
};

/** What a refused request is called. @param error a CodecError */
export function unparsableOf(error: number): Unparsable {
  return UNPARSABLE_OF[error] ?? 'malformed';
}
