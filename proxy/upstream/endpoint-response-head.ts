// The head of an endpoint's response as the exchange sees it: end-to-end fields with their names, order and repetitions
// unchanged. Thread: worker.

import { UNKNOWN_LENGTH, type FieldList, type ResponseHead } from '../../core/head.ts';
import { ALWAYS_CUT, FRAMING_KINDS } from '../http1/encoder.ts';
import type { Framing } from '../http1/framing.ts';
import type { MessageHead } from '../http1/message-head.ts';

const NOT_FORWARDED = ALWAYS_CUT | FRAMING_KINDS;
const NO_CONTENT = 204;

/** A copy: independent of the scan that it was made from. */
export class EndpointResponseHead implements ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly bodyLength: number;
  readonly hasLength: boolean;
  readonly #endToEnd: FieldList;
  /** Connection-specific and framing fields: `field` finds them, nothing forwards them. */
  readonly #hopByHop: FieldList;

  /** @param head scanned, with the fields that Connection nominates marked as cut (see frameResponse) */
  constructor(head: MessageHead, framing: Framing) {
    this.status = head.status;
    this.reason = head.reasonText;
    const hasBody = head.status >= 200 && head.status !== NO_CONTENT;
    this.hasLength = hasBody && framing.declaredBytes >= 0;
    this.bodyLength = this.hasLength ? framing.declaredBytes : hasBody ? UNKNOWN_LENGTH : 0;
    this.#endToEnd = head.fieldList(NOT_FORWARDED);
    this.#hopByHop = hopByHopFields(head);
  }

  field(name: string): string | undefined {
    return valueOf(this.#endToEnd, name) ?? valueOf(this.#hopByHop, name);
  }

  endToEndFields(): FieldList {
    return this.#endToEnd;
  }
}

function hopByHopFields(head: MessageHead): string[] {
  const fields: string[] = [];
  for (let index = 0; index < head.fieldCount; index += 1) {
    if (head.isCut(index, NOT_FORWARDED)) fields.push(head.nameText(index), head.valueText(index));
  }
  return fields;
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
