// HTTP/2 request head over the fields that node:http2 has decoded, and its rules (RFC 9113 section 8). nghttp2 has checked
// names, values and the order of pseudo-header fields, and has dropped invalid fields silently. Thread: worker.

import type { Unparsable } from '../../../core/exchange-contract.ts';
import { type FieldList, joinedField, type RequestHead, UNKNOWN_LENGTH } from '../../../core/head.ts';
import type { ClientLimits, UnderscoreFields } from '../../../core/snapshot/listener.ts';
import type { TrustedOnlyFields } from '../trusted-only-fields.ts';
import { hasUnderscore, withoutUnderscores } from './field-list.ts';
import { CONTENT_LENGTH } from './node-http1-head.ts';
import { CONNECTION_FIELDS } from '../../http2/header-field.ts';
import { isValidAuthority, readTarget } from '../request-target.ts';

/** Overhead of a field beside its name and value, by RFC 9113 section 10.5.1. */
const FIELD_OVERHEAD_BYTES = 32;

/** Regenerated for the endpoint, or between the client and this proxy only. */
const NOT_END_TO_END: ReadonlySet<string> = new Set([
  'host',
  'te',
  'content-length',
  'proxy-authorization',
  'proxy-authenticate',
]);

interface HeadParts {
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  readonly bodyLength: number;
  /** Without pseudo-header fields. */
  readonly fields: FieldList;
  /** Fields that the client may not send; null for a trusted proxy. */
  readonly trustedOnly: TrustedOnlyFields | null;
}

export class NodeHttp2Head implements RequestHead {
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  readonly version = '2.0';
  readonly bodyLength: number;
  readonly #fields: FieldList;
  readonly #trustedOnly: TrustedOnlyFields | null;
  #endToEnd: FieldList | null = null;

  constructor(parts: HeadParts) {
    this.method = parts.method;
    this.target = parts.target;
    this.authority = parts.authority;
    this.bodyLength = parts.bodyLength;
    this.#fields = parts.fields;
    this.#trustedOnly = parts.trustedOnly;
  }

  get expectsContinue(): boolean {
    return this.bodyLength !== 0 && this.field('expect')?.toLowerCase() === '100-continue';
  }

  field(name: string): string | undefined {
    return name === 'host' && this.authority !== '' ? this.authority : joinedField(this.#fields, name);
  }

  endToEndFields(): FieldList {
    return (this.#endToEnd ??= this.#filtered());
  }

  /** Cookie crumbs are joined to one field, in place of the first one (section 8.2.3). */
  #filtered(): FieldList {
    const kept: string[] = [];
    let hasCookie = false;
    for (let at = 0; at < this.#fields.length; at += 2) {
      const name = this.#fields[at]!;
      if (NOT_END_TO_END.has(name) || this.#trustedOnly?.has(name)) continue;
      if (name !== 'cookie') kept.push(name, this.#fields[at + 1]!);
      else if (!hasCookie) kept.push(name, this.field('cookie')!);
      hasCookie ||= name === 'cookie';
    }
    return kept;
  }
}

/** Pseudo-header fields, separated from the others. */
interface SplitFields {
  readonly pseudo: ReadonlyMap<string, string>;
  readonly fields: FieldList;
  readonly sizeBytes: number;
  /** Fields without pseudo-header fields, cookie crumbs counted as one. */
  readonly count: number;
}

/**
 * Checks a head by HTTP/2's rules and the listener's limits.
 * @param rawFields as in the 'stream' event: names and values in turn
 * @param hasBody whether the stream is open after the head
 */
export function readNodeHttp2Head(
  rawFields: FieldList,
  hasBody: boolean,
  limits: ClientLimits,
  underscores: UnderscoreFields = 'pass',
  trustedOnly: TrustedOnlyFields | null = null,
): NodeHttp2Head | Unparsable {
  const { pseudo, fields, sizeBytes, count } = split(rawFields);
  const method = pseudo.get(':method') ?? '';
  const path = pseudo.get(':path') ?? '';
  if (method === 'CONNECT') return 'method-not-served';
  if (path.length > limits.requestLineBytes) return 'target-too-long';
  if (count > limits.headFields) return 'too-many-fields';
  if (sizeBytes > limits.headBytes) return 'head-too-large';

  const target = readTarget(method, path);
  const authority = readAuthority(pseudo.get(':authority'), fields);
  const isHttp = /^https?$/i.test(pseudo.get(':scheme') ?? '');
  // ':path' is in origin-form: the authority has a field of its own.
  if (target === null || target.authority !== null || authority === null || !isHttp) return 'malformed';
  const bodyLength = hasBody ? readBodyLength(fields) : 0;
  if (bodyLength === null || fields.some((name, at) => at % 2 === 0 && isForbidden(name, fields[at + 1]!))) {
    return 'malformed';
  }
  if (underscores === 'refuse' && hasUnderscore(fields)) return 'malformed';
  const kept = underscores === 'pass' ? fields : withoutUnderscores(fields);
  return new NodeHttp2Head({ method, target: target.target, authority, bodyLength, fields: kept, trustedOnly });
}

function split(rawFields: FieldList): SplitFields {
  const pseudo = new Map<string, string>();
  const fields: string[] = [];
  let sizeBytes = 0;
  let crumbs = 0;
  for (let at = 0; at < rawFields.length; at += 2) {
    const name = rawFields[at]!;
    const value = rawFields[at + 1]!;
    sizeBytes += name.length + value.length + FIELD_OVERHEAD_BYTES;
    if (name.startsWith(':')) pseudo.set(name, value);
    else fields.push(name, value);
    if (name === 'cookie') crumbs += 1;
  }
  return { pseudo, fields, sizeBytes, count: fields.length / 2 - Math.max(0, crumbs - 1) };
}

/** ':authority', or Host in its place; both must be equal (section 8.3.1). */
function readAuthority(pseudo: string | undefined, fields: FieldList): string | null {
  const host = joinedField(fields, 'host');
  if (pseudo !== undefined && host !== undefined && pseudo.toLowerCase() !== host.toLowerCase()) return null;
  const authority = pseudo ?? host ?? '';
  return authority !== '' && isValidAuthority(authority) ? authority : null;
}

function readBodyLength(fields: FieldList): number | null {
  const length = joinedField(fields, 'content-length');
  if (length === undefined) return UNKNOWN_LENGTH;
  return CONTENT_LENGTH.test(length) ? Number(length) : null;
}

/** Section 8.2.2. */
function isForbidden(name: string, value: string): boolean {
  return CONNECTION_FIELDS.has(name) || (name === 'te' && value.toLowerCase() !== 'trailers');
}
