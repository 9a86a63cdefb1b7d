// Values below a prefix in the reply of Consul's key-value API. Thread: main.

import { parseJson } from '../http/http-client.ts';
import type { StoredValue } from '../key-list.ts';

const MOST_KEYS = 65_536;

type KeysOutcome =
  | { readonly ok: true; readonly values: readonly StoredValue[] }
  | { readonly ok: false; readonly cause: string };

/** Reads the reply to `GET /v1/kv/PREFIX?recurse`. Keys without a value, which stand for folders, are left out. */
export function parseKeys(text: string): KeysOutcome {
  const reply = parseJson(text);
  const values: StoredValue[] = [];
  if (!Array.isArray(reply) || reply.length > MOST_KEYS) return { ok: false, cause: 'the list of keys is malformed' };
  for (const entry of reply as readonly unknown[]) {
    const { Key: key, Value: value } = (entry ?? {}) as { readonly Key?: unknown; readonly Value?: unknown };
    if (typeof key !== 'string') return { ok: false, cause: 'the list of keys is malformed: an entry has no key' };
    if (value === null || value === '') continue;
    if (typeof value !== 'string') return { ok: false, cause: `the value of key ${key} is malformed` };
    values.push({ key, value: Buffer.from(value, 'base64').toString('utf8') });
  }
  return { ok: true, values };
}
