// Reads fields in the form in which Node gives them: names and values in turn, as they came. Thread: worker.

import type { FieldList } from '../../../core/head.ts';
import { isFieldName, isFieldValue } from '../../http1/field-line.ts';
import { readTrailerSection } from '../../http1/trailer-section.ts';

/** Value of a field, its lines joined by ', ' (Cookie's by '; ', RFC 9113 section 8.2.3). @param name lower case */
export function joinedField(fields: FieldList, name: string): string | undefined {
  let joined: string | undefined;
  for (let at = 0; at < fields.length; at += 2) {
    if (!isNamed(fields[at]!, name)) continue;
    const value = fields[at + 1]!;
    joined = joined === undefined ? value : joined + (name === 'cookie' ? '; ' : ', ') + value;
  }
  return joined;
}

/** Whether a field name is this one, without case. @param lowerName lower case */
export function isNamed(name: string, lowerName: string): boolean {
  return name.length === lowerName.length && (name === lowerName || name.toLowerCase() === lowerName);
}

/** Without what is no field: a CR or LF in a value would split the head (response splitting). */
export function writableFields(fields: FieldList): string[] {
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const [name, value] = [fields[at]!, fields[at + 1]!];
    if (isFieldName(name) && isFieldValue(value)) kept.push(name, value);
  }
  return kept;
}

/**
 * Trailers as they are passed on: without those that must not come so late (RFC 9110 section 6.5.1); null where none
 * is left. Goes through the reader of the fast path, so that one list of forbidden names serves both.
 * @param maxFields more are dropped, all of them
 */
export function passableTrailers(fields: FieldList, maxFields: number): FieldList | null {
  if (fields.length === 0) return null;
  let section = '';
  for (let at = 0; at < fields.length; at += 2) section += `${fields[at]}: ${fields[at + 1]}\r\n`;
  const bytes = Buffer.from(`${section}\r\n`, 'latin1');
  return readTrailerSection(bytes, bytes.length, maxFields).fields;
}
