// Scans one head from text, for tests of the codec's parts.

import { CODEC_ERRORS } from '../../proxy/http1/codec-error.ts';
import { HeadScanner, Scan, type HeadLimits } from '../../proxy/http1/head-scanner.ts';
import { MessageHead } from '../../proxy/http1/message-head.ts';

/** 'complete', 'incomplete', or the name of the error. */
export function outcomeOf(result: number): string {
  if (result === Scan.COMPLETE) return 'complete';
  return result === Scan.INCOMPLETE ? 'incomplete' : CODEC_ERRORS[result]!.name;
}

/** Scans text (latin1) surrounded by other bytes. */
export function scanText(
  side: 'request' | 'response',
  text: string,
  limits?: HeadLimits,
): { readonly outcome: string; readonly head: MessageHead; readonly start: number } {
  const head = new MessageHead();
  const before = 'BEFORE\r\n';
  const bytes = Buffer.from(`${before}${text}AFTER: x\r\n\r\n`, 'latin1');
  const scanner = new HeadScanner(limits);
  const scan = side === 'request' ? 'scanRequest' : 'scanResponse';
  const result = scanner[scan](head, bytes, before.length, before.length + text.length);
  return { outcome: outcomeOf(result), head, start: before.length };
}

/** The head of a valid request; lines without the request line, each without its CRLF. */
export function requestWith(...lines: readonly string[]): MessageHead {
  return completeHead('request', ['GET / HTTP/1.1', 'Host: a', ...lines]);
}

/** The head of a valid response. */
export function responseWith(status: number, ...lines: readonly string[]): MessageHead {
  return completeHead('response', [`HTTP/1.1 ${status} Reason`, ...lines]);
}

/** A head from valid lines. */
export function completeHead(side: 'request' | 'response', lines: readonly string[]): MessageHead {
  const { outcome, head } = scanText(side, `${lines.join('\r\n')}\r\n\r\n`);
  if (outcome !== 'complete') throw new Error(`the head is not complete: ${outcome}`);
  return head;
}
