// Priority of a response as its request states it (RFC 9218 section 4). Thread: worker.

import type { RequestHead } from '../../../core/head.ts';

export interface Priority {
  /** 0 to 7; 0 is the most urgent. */
  readonly urgency: number;
  /** Whether the client can use parts of the response as they come. */
  readonly isIncremental: boolean;
}

const DEFAULT_PRIORITY: Priority = { urgency: 3, isIncremental: false };

const URGENCY = /(?:^|,)[ \t]*u=([0-7])[ \t]*(?:$|[,;])/;
const INCREMENTAL = /(?:^|,)[ \t]*i(=\?1)?[ \t]*(?:$|[,;])/;
/** The parameters in use need no more; a longer value is ignored. */
const MAX_LENGTH = 64;

/** Reads the field `priority` of a request. */
export function readPriority(head: RequestHead): Priority {
  return parsePriority(head.field('priority') ?? '');
}

/** Parses a structured dictionary, of which unknown members and faulty values are ignored. */
export function parsePriority(value: string): Priority {
  if (value === '' || value.length > MAX_LENGTH) return DEFAULT_PRIORITY;
  const urgency = URGENCY.exec(value);
  return {
    urgency: urgency === null ? DEFAULT_PRIORITY.urgency : Number(urgency[1]),
    isIncremental: INCREMENTAL.test(value),
  };
}
