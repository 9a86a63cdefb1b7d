// The access log in Apache's combined format: `%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"`.
// Thread: both.

import type { ExchangeRecord } from '../../core/exchange-record.ts';
import { apacheBare, apacheQuoted, cutTo, MAX_TARGET, MAX_TEXT, MAX_WORD } from './log-escape.ts';
import { apacheTime } from './log-time.ts';
import { plainFormat } from './format-descriptor.ts';

/** Formats an exchange as one line in ASCII, with its line feed. An absent value is `-`. */
function formatCombined(record: ExchangeRecord): string {
  const { status, bytesSent } = record;
  return (
    `${apacheBare(cutTo(MAX_WORD, record.clientAddress))} - - [${apacheTime(record.beganWallMs)}] ` +
    `"${requestLineOf(record)}" ${status === 0 ? '-' : status} ${bytesSent === 0 ? '-' : bytesSent} ` +
    `"${fieldOf(record, 'referer')}" "${fieldOf(record, 'user-agent')}"\n`
  );
}

function requestLineOf({ head }: ExchangeRecord): string {
  if (head === null) return '-';
  return apacheQuoted(`${cutTo(MAX_WORD, head.method)} ${cutTo(MAX_TARGET, head.target)} HTTP/${head.version}`);
}

function fieldOf({ head }: ExchangeRecord, name: string): string {
  const value = head?.field(name);
  return value === undefined ? '-' : apacheQuoted(cutTo(MAX_TEXT, value));
}

export const combined = plainFormat('combined', formatCombined);
