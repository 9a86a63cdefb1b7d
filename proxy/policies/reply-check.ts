// Checks the answers of policies: what a plugin returns must make a well-formed response. Thread: both.

import type { PolicyAnswer, PolicyReply } from '../../core/policy/policy.ts';
import { isFieldName, isFieldValue } from '../http1/field-line.ts';
import { reasonAgainstEdit } from './editable-fields.ts';

/** @throws TypeError for an answer that is no reply, with the reason */
export function checkAnswer(answer: NonNullable<PolicyAnswer>): void {
  if (typeof answer !== 'object' || answer === null) throw new TypeError(`it returned ${String(answer)}, not a reply`);
  if (!('cause' in answer)) checkReply(answer);
}

function checkReply({ status, fields = [], body = '' }: PolicyReply): void {
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new TypeError(`its reply has the status ${String(status)}: a whole number from 200 to 599 is needed`);
  }
  if (!Array.isArray(fields) || fields.length % 2 !== 0) {
    throw new TypeError('the fields of its reply are not a list of names and values in turn');
  }
  for (let at = 0; at < fields.length; at += 2) checkField(fields[at] as unknown, fields[at + 1] as unknown);
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
    throw new TypeError('the body of its reply is neither a text nor bytes');
  }
}

/** CR or LF in a value would split the response (response splitting). */
function checkField(name: unknown, value: unknown): void {
  if (typeof name !== 'string' || !isFieldName(name)) throw new TypeError(`not a field name: ${JSON.stringify(name)}`);
  if (typeof value !== 'string' || !isFieldValue(value)) throw new TypeError(`not a value for the field ${name}`);
  const reason = reasonAgainstEdit(name.toLowerCase(), 'response');
  if (reason !== null) throw new TypeError(`its reply may not have the field ${name}: ${reason}`);
}
