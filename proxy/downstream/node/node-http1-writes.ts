// Writes to a ServerResponse that never throw: what node:http refuses to write is left out. Thread: worker.

import type { ServerResponse } from 'node:http';
import type { FieldList } from '../../../core/head.ts';
import { writableFields } from './field-list.ts';

/** Writes the head of a final response. `fields` have framing and Connection. */
export function writeFinalHead(response: ServerResponse, status: number, reason: string, fields: string[]): void {
  try {
    response.writeHead(status, reason, fields);
  } catch {
    response.writeHead(status, '', writableFields(fields));
  }
}

/** Writes an interim response (RFC 9110 section 15.2). */
export function writeInterimHead(response: ServerResponse, status: number, fields: FieldList): void {
  // Node has the general form since 26.2; before it, what else there is than 100 is left out, as it may be.
  if (typeof response.writeInformation !== 'function') {
    if (status === 100) response.writeContinue();
  } else response.writeInformation(status, writableFields(fields));
}

/** Adds trailers to a chunked response that is about to end. */
export function addTrailers(response: ServerResponse, trailers: FieldList): void {
  const fields = writableFields(trailers);
  const pairs: [string, string][] = [];
  for (let at = 0; at < fields.length; at += 2) pairs.push([fields[at]!, fields[at + 1]!]);
  response.addTrailers(pairs);
}
