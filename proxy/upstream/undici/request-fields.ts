// The fields of a request as an endpoint gets them, framing excepted. Thread: worker.

import type { AttemptRequest } from '../../../core/exchange-contract.ts';
import type { FieldList } from '../../../core/head.ts';

/**
 * Never passed on from a client, whatever an adaptor lets through: fields of one connection, framing, and Host, which
 * are all made anew. Expect too: undici can't hold a body back until 100 comes, so whoever speaks with the client
 * answers its expectation.
 */
const MADE_ANEW: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'http2-settings',
  'expect',
]);

/** Host first (RFC 9110 section 7.2), then the client's fields as they came, then those that are inserted. */
export function requestFields(request: AttemptRequest): string[] {
  const { head, hostField, insertedFields, removedFields } = request;
  const inserted = namesOf(insertedFields);
  const fields = ['Host', hostField];
  const given = head.endToEndFields();
  for (let index = 0; index < given.length; index += 2) {
    const name = given[index]!.toLowerCase();
    if (MADE_ANEW.has(name) || removedFields.has(name) || inserted.has(name)) continue;
    fields.push(given[index]!, given[index + 1]!);
  }
  for (let index = 0; index < insertedFields.length; index += 2) {
    if (!MADE_ANEW.has(insertedFields[index]!.toLowerCase())) {
      fields.push(insertedFields[index]!, insertedFields[index + 1]!);
    }
  }
  return fields;
}

function namesOf(fields: FieldList): ReadonlySet<string> {
  const names = new Set<string>();
  for (let index = 0; index < fields.length; index += 2) names.add(fields[index]!.toLowerCase());
  return names;
}
