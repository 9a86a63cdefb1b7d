// The head of an endpoint's response as the exchange sees it: end-to-end fields with their names, order and repetitions
// as they came. Thread: worker.

import { UNKNOWN_LENGTH, type FieldList, type ResponseHead } from '../../../core/head.ts';
import { ALWAYS_CUT, FRAMING_KINDS } from '../../http1/encoder.ts';
import { BodyKind, type Framing } from '../../http1/framing.ts';
import type { MessageHead } from '../../http1/message-head.ts';

const NOT_PASSED = ALWAYS_CUT | FRAMING_KINDS;
const NO_CONTENT = 204;

/** Made once a response; keeps nothing of the scan that it was made from. */
export class EndpointResponseHead implements ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly bodyLength: number;
  readonly hasLength: boolean;
  readonly #passed: FieldList;
  /** Fields of the connection: found by `field`, passed to nobody. */
  readonly #held: FieldList;

  /** @param head scanned; fields nominated by Connection are cut in it already, as frameResponse does */
  constructor(head: MessageHead, framing: Framing) {
    this.status = head.status;
    this.reason = head.reasonText;
    const hasBody = head.status >= 200 && head.status !== NO_CONTENT;
    this.hasLength = hasBody && framing.declaredBytes >= 0;
    this.bodyLength = this.hasLength ? framing.declaredBytes : hasBody ? UNKNOWN_LENGTH : 0;
    this.#passed = head.fieldList(NOT_PASSED);
    this.#held = heldFields(head);
  }

  field(name: string): string | undefined {
    return valueOf(this.#passed, name) ?? valueOf(this.#held, name);
  }

  endToEndFields(): FieldList {
    return this.#passed;
  }
}

function heldFields(head: MessageHead): string[] {
  const held: string[] = [];
  for (let index = 0; index < head.fieldCount; index += 1) {
    if (head.isCut(index, NOT_PASSED)) held.push(head.nameText(index), head.valueText(index));
  }
  return held;
}

function valueOf(fields: FieldList, name: string): string | undefined {
  let value: string | undefined;
  for (let index = 0; index < fields.length; index += 2) {
    if (fields[index]!.toLowerCase() === name) value = joined(value, fields[index + 1]!);
  }
  return value;
}

function joined(value: string | undefined, next: string): string {
  return value === undefined ? next : `${value}, ${next}`;
}

/** Digits that undici can read: a hint of more than this many seconds is as good as none. */
const KEEP_ALIVE_HINT = /(?:^|,)[ \t]*timeout=(\d{1,6})(?:[ \t]*(?:,|$))/i;

/**
 * The head that undici gets in place of the endpoint's: nothing but status, framing and persistence, so that the two
 * parsers can't disagree about what was read already.
 */
export function plainHeadOf(head: MessageHead, framing: Framing): string {
  let text = `HTTP/1.1 ${head.status} -\r\n`;
  if (framing.body === BodyKind.CHUNKED) text += 'transfer-encoding: chunked\r\n';
  else if (framing.body !== BodyKind.UNTIL_CLOSE && !isBodyless(head.status)) {
    text += `content-length: ${framing.lengthBytes}\r\n`;
  }
  if (!isReusable(head, framing)) return `${text}connection: close\r\n\r\n`;
  const hint = KEEP_ALIVE_HINT.exec(head.field('keep-alive') ?? '')?.[1];
  return `${text}connection: keep-alive\r\n${hint === undefined ? '' : `keep-alive: timeout=${hint}\r\n`}\r\n`;
}

function isBodyless(status: number): boolean {
  return status === NO_CONTENT || status === 304;
}

/**
 * Not where a status without a body announces one: an endpoint that sends it all the same would have it read as the
 * next response (response queue poisoning).
 */
function isReusable(head: MessageHead, framing: Framing): boolean {
  if (!framing.isPersistent) return false;
  if (!isBodyless(head.status)) return true;
  return head.indexOf('transfer-encoding') < 0 && /^0*$/.test(head.field('content-length') ?? '');
}
