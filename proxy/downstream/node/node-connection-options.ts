// Connection fields of a request that node:http has parsed (RFC 9110 section 7.6.1). Thread: worker.

import { type FieldList, isNamed } from '../../../core/head.ts';
import { MAX_CONNECTION_OPTIONS } from '../../http1/connection-options.ts';
import { isFieldName } from '../../http1/field-line.ts';

/** Options of the Connection fields. */
export interface Nominations {
  readonly closes: boolean;
  readonly keepsAlive: boolean;
  /** Lower-case names of fields that are not forwarded. */
  readonly nominated: ReadonlySet<string>;
}

const NONE: Nominations = { closes: false, keepsAlive: false, nominated: new Set() };

/**
 * Fields that a client may not have removed by nomination (hop-by-hop header abuse): without them an endpoint would route or
 * frame the request, or judge its origin, differently.
 */
const PROTECTED = /^(?:host|content-length|transfer-encoding|forwarded|x-forwarded-.*)$/;

/** @returns null where the request must be refused: a protected field, too many options, or one that is no token */
export function readNominations(fields: FieldList): Nominations | null {
  let options: string[] | null = null;
  for (let at = 0; at < fields.length; at += 2) {
    if (isNamed(fields[at]!, 'connection')) (options ??= []).push(...fields[at + 1]!.toLowerCase().split(','));
  }
  if (options === null) return NONE;
  if (options.length > MAX_CONNECTION_OPTIONS) return null;
  const named = new Set<string>();
  for (const padded of options) {
    const option = trimBlanks(padded);
    if (option === '') continue;
    if (!isFieldName(option) || PROTECTED.test(option)) return null;
    named.add(option);
  }
  return { closes: named.has('close'), keepsAlive: named.has('keep-alive'), nominated: named };
}

/** Removes OWS (SP and HTAB only) around a text; trim() would remove more. */
function trimBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}
