// Fields in the form of Node's rawHeaders: names and values in turn, as received. Thread: worker.

import type { FieldList } from '../../../core/head.ts';
import { isFieldName, isFieldValue } from '../../http1/field-line.ts';
import { readTrailerSection } from '../../http1/trailer-section.ts';

/** The valid fields of a list: a CR or LF in a value would split the head (response splitting). */
export function writableFields(fields: FieldList): string[] {
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const [name, value] = [fields[at]!, fields[at + 1]!];
    if (isFieldName(name) && isFieldValue(value)) kept.push(name, value);
  }
  return kept;
}

/**
 * Trailers as they are forwarded: without those that are forbidden in trailers (RFC 9110 section 6.5.1); null where none is
 * left. Uses the parser of the engine, so that one list of forbidden names serves both.
 * @param maxFields more are dropped, all of them
 */
export function passableTrailers(fields: FieldList, maxFields: number): FieldList | null {
  if (fields.length === 0) return null;
  let section = '';
  for (let at = 0; at < fields.length; at += 2) section += `${fields[at]}: ${fields[at + 1]}\r\n`;
  const bytes = Buffer.from(`${section}\r\n`, 'latin1');
  return readTrailerSection(bytes, bytes.length, maxFields).fields;
}

/** Whether a field's name has an underscore. */
export function hasUnderscore(fields: FieldList): boolean {
  return fields.some((name, at) => at % 2 === 0 && name.includes('_'));
}

/** The fields whose names have no underscore. */
export function withoutUnderscores(fields: FieldList): FieldList {
  if (!hasUnderscore(fields)) return fields;
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    if (!fields[at]!.includes('_')) kept.push(fields[at]!, fields[at + 1]!);
  }
  return kept;
}
