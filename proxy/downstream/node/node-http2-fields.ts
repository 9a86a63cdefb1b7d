// Fields in the form that node:http2 takes, without those for which it would throw. Thread: worker.

import type { OutgoingHttpHeaders } from 'node:http2';
import type { FieldList } from '../../../core/head.ts';
import { CONNECTION_FIELDS } from '../../http2/header-field.ts';
import { writableFields } from './field-list.ts';

/** node:http2 throws for these, too, in any response. */
const REFUSED: ReadonlySet<string> = new Set([...CONNECTION_FIELDS, 'http2-settings', 'te']);

/** Fields that may be sent, names in lower case (section 8.2.1). */
export function http2Fields(fields: FieldList): string[] {
  const kept = writableFields(fields);
  for (let at = kept.length - 2; at >= 0; at -= 2) {
    kept[at] = kept[at]!.toLowerCase();
    if (REFUSED.has(kept[at]!)) kept.splice(at, 2);
  }
  return kept;
}

/** Fields as an object, for interim responses and trailers: repeated fields as arrays. @param fields of http2Fields */
export function headersOf(fields: FieldList): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (let at = 0; at < fields.length; at += 2) {
    const before = headers[fields[at]!];
    headers[fields[at]!] = before === undefined ? fields[at + 1]! : [before, fields[at + 1]!].flat().map(String);
  }
  return headers;
}
