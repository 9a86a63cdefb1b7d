// Requests and replies of etcd's JSON gateway, version 3: keys below a prefix, watches, authentication. Replies are checked
// in full: a malformed one is a failure, never an exception. Thread: main.

import { parseJson } from '../http/http-client.ts';
import type { StoredValue } from '../key-list.ts';

/** More keys below one prefix are a mistake. */
const MOST_KEYS = 65_536;

type JsonRecord = Readonly<Record<string, unknown>>;

export type RangeOutcome =
  | { readonly ok: true; readonly values: readonly StoredValue[]; readonly revision: string }
  | { readonly ok: false; readonly cause: string };

/** Body of `POST /v3/kv/range` for all keys below a prefix. */
export function rangeRequest(prefix: string): string {
  return JSON.stringify({ ...keysBelow(prefix), limit: MOST_KEYS + 1 });
}

/** Body of `POST /v3/watch` for changes after a revision. */
export function watchRequest(prefix: string, revision: string): string {
  return JSON.stringify({ create_request: { ...keysBelow(prefix), start_revision: String(BigInt(revision) + 1n) } });
}

/** A prefix is the range up to the next key that doesn't begin with it. UTF-8 has no byte 255, so that the last one can grow. */
function keysBelow(prefix: string): { readonly key: string; readonly range_end: string } {
  const end = Buffer.from(prefix);
  end[end.length - 1]! += 1;
  return { key: Buffer.from(prefix).toString('base64'), range_end: end.toString('base64') };
}

/** Reads the reply to a range request. */
export function parseRange(text: string): RangeOutcome {
  const reply = recordOf(parseJson(text));
  const { revision } = recordOf(reply['header']);
  if (typeof revision !== 'string' || !/^\d{1,19}$/.test(revision)) return malformed('it has no revision');
  const kvs = reply['kvs'] ?? [];
  if (!Array.isArray(kvs)) return malformed('its keys are no list');
  if (kvs.length > MOST_KEYS) return { ok: false, cause: `more than ${MOST_KEYS} keys have the prefix` };
  const values: StoredValue[] = [];
  for (const entry of kvs as readonly unknown[]) {
    const { key, value = '' } = recordOf(entry);
    if (typeof key !== 'string' || typeof value !== 'string') return malformed('an entry has no key');
    values.push({ key: decode(key), value: decode(value) });
  }
  return { ok: true, values, revision };
}

function malformed(reason: string): RangeOutcome {
  return { ok: false, cause: `the list of keys is malformed: ${reason}` };
}

function decode(text: string): string {
  return Buffer.from(text, 'base64').toString('utf8');
}

/** A message of a watch: keys have changed, or the watch has ended and the keys must be read again. */
export function isChange(line: string): boolean {
  const message = recordOf(parseJson(line));
  const { events, canceled } = recordOf(message['result']);
  return (Array.isArray(events) && events.length > 0) || canceled === true || message['error'] !== undefined;
}

/** The token in the reply to `POST /v3/auth/authenticate`; '' where there is none. */
export function parseToken(text: string): string {
  const { token } = recordOf(parseJson(text));
  return typeof token === 'string' && /^[\x21-\x7e]{1,4096}$/.test(token) ? token : '';
}

/** The message of a refusal, for logs: printable and short. */
export function refusalIn(text: string): string {
  const reply = recordOf(parseJson(text));
  const { message, error } = reply;
  const found = typeof message === 'string' ? message : error;
  return typeof found === 'string' ? `: ${found.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, 120)}` : '';
}

function recordOf(value: unknown): JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonRecord) : {};
}
