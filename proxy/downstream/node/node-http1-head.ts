// HTTP/1.1 request head over the message that node:http has parsed, and the rules that llhttp doesn't check. Thread: worker.

import type { IncomingMessage } from 'node:http';
import type { Unparsable } from '../../../core/exchange-contract.ts';
import { type FieldList, joinedField, type RequestHead, UNKNOWN_LENGTH } from '../../../core/head.ts';
import type { ClientLimits, UnderscoreFields } from '../../../core/snapshot/listener.ts';
import { ALWAYS_CUT, FRAMING_KINDS } from '../../http1/encoder.ts';
import { FieldKind, kindOfName, kindSet } from '../../http1/field-kind.ts';
import { CODINGS_THEN_CHUNKED } from '../../http1/framing.ts';
import type { TrustedOnlyFields } from '../trusted-only-fields.ts';
import { readNominations } from './node-connection-options.ts';
import { hasUnderscore } from './field-list.ts';
import { isValidAuthority, readTarget, type RequestTarget } from '../request-target.ts';

/** Fields that the exchange sets itself, or that concern this connection only. */
const NOT_END_TO_END = ALWAYS_CUT | FRAMING_KINDS | kindSet(FieldKind.HOST);

/** Kinds that may occur at most once: of two, each could be the one that another parser reads. */
const SINGLE = FRAMING_KINDS | kindSet(FieldKind.HOST);

/** ' ' twice, 'HTTP/1.1' and CRLF: the bytes of a request line beside method and target. */
const REQUEST_LINE_REST_BYTES = 12;

/** 15 digits behind leading zeros are a safe integer; longer ones (beyond 900 terabytes) are refused. */
export const CONTENT_LENGTH = /^0*\d{1,15}$/;

/** Parts of a checked head. */
interface HeadParts {
  readonly message: IncomingMessage;
  readonly target: RequestTarget;
  readonly bodyLength: number;
  /** Kind of each field, in order. */
  readonly kinds: Uint8Array;
  readonly nominated: ReadonlySet<string>;
  readonly isPersistent: boolean;
  readonly dropsUnderscores: boolean;
  /** Fields that the client may not send; null for a trusted proxy. */
  readonly trustedOnly: TrustedOnlyFields | null;
}

export class NodeHttp1Head implements RequestHead {
  readonly method: string;
  readonly target: string;
  readonly authority: string;
  readonly version: string;
  readonly bodyLength: number;
  /** Whether the client lets the connection be reused (RFC 9112 section 9.3). */
  readonly isPersistent: boolean;
  readonly #fields: FieldList;
  readonly #kinds: Uint8Array;
  readonly #nominated: ReadonlySet<string>;
  readonly #dropsUnderscores: boolean;
  readonly #trustedOnly: TrustedOnlyFields | null;
  #endToEnd: FieldList | null = null;

  constructor(parts: HeadParts) {
    const { message, target } = parts;
    this.#fields = message.rawHeaders;
    this.method = message.method!;
    this.target = target.target;
    this.authority = target.authority ?? this.field('host') ?? '';
    this.version = message.httpVersion;
    this.bodyLength = parts.bodyLength;
    this.isPersistent = parts.isPersistent;
    this.#kinds = parts.kinds;
    this.#nominated = parts.nominated;
    this.#dropsUnderscores = parts.dropsUnderscores;
    this.#trustedOnly = parts.trustedOnly;
  }

  /** HTTP/1.0 has no expectations (RFC 9110 section 10.1.1). */
  get expectsContinue(): boolean {
    return this.version === '1.1' && this.bodyLength !== 0 && this.field('expect')?.toLowerCase() === '100-continue';
  }

  /** Whether trailers may be sent to the client (RFC 9110 section 10.1.4). */
  get acceptsTrailers(): boolean {
    return /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i.test(this.field('te') ?? '');
  }

  field(name: string): string | undefined {
    return joinedField(this.#fields, name);
  }

  endToEndFields(): FieldList {
    return (this.#endToEnd ??= this.#filtered());
  }

  #filtered(): FieldList {
    const kept: string[] = [];
    for (let at = 0; at < this.#fields.length; at += 2) {
      const name = this.#fields[at]!;
      if (((NOT_END_TO_END >>> this.#kinds[at >> 1]!) & 1) !== 0) continue;
      if (this.#dropsUnderscores && name.includes('_')) continue;
      if (this.#trustedOnly?.has(name.toLowerCase())) continue;
      if (this.#nominated.size > 0 && this.#nominated.has(name.toLowerCase())) continue;
      kept.push(name, this.#fields[at + 1]!);
    }
    return kept;
  }
}

/**
 * Checks a parsed message by the rules of the engine that llhttp doesn't have.
 * @returns the head, or the reason to refuse the request and close the connection
 */
export function readNodeHttp1Head(
  message: IncomingMessage,
  limits: ClientLimits,
  underscores: UnderscoreFields = 'pass',
  trustedOnly: TrustedOnlyFields | null = null,
): NodeHttp1Head | Unparsable {
  const { rawHeaders: fields, method = '', url = '', httpVersion } = message;
  // llhttp reports a request line without version as 0.9.
  if (httpVersion === '0.9') return 'malformed';
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 'version-not-supported';
  if (method.length + url.length + REQUEST_LINE_REST_BYTES > limits.requestLineBytes) return 'target-too-long';
  if (fields.length / 2 > limits.headFields) return 'too-many-fields';
  if (method === 'CONNECT') return 'method-not-served';

  const kinds = kindsOf(fields);
  if (kinds === null || (underscores === 'refuse' && hasUnderscore(fields))) return 'malformed';
  const target = readTarget(method, url);
  if (target === null || !isHostValid(joinedField(fields, 'host'), httpVersion)) return 'malformed';
  if (CODINGS_THEN_CHUNKED.test(joinedField(fields, 'transfer-encoding') ?? '')) return 'coding-unknown';
  const bodyLength = readBodyLength(fields, httpVersion);
  const options = readNominations(fields);
  if (bodyLength === null || options === null) return 'malformed';
  if (!isExpectationKnown(fields, httpVersion)) return 'expectation-unknown';
  const isPersistent = httpVersion === '1.1' ? !options.closes : options.keepsAlive && !options.closes;
  return new NodeHttp1Head({
    message,
    target,
    bodyLength,
    kinds,
    nominated: options.nominated,
    isPersistent,
    dropsUnderscores: underscores !== 'pass',
    trustedOnly,
  });
}

/** Kind of each field; null where one occurs twice that must not: routing and framing must be certain. */
function kindsOf(fields: FieldList): Uint8Array | null {
  const kinds = new Uint8Array(fields.length / 2);
  let seen = 0;
  for (let at = 0; at < fields.length; at += 2) {
    const kind = kindOfName(fields[at]!.toLowerCase());
    kinds[at >> 1] = kind;
    const bit = (1 << kind) & SINGLE;
    if ((seen & bit) !== 0) return null;
    seen |= bit;
  }
  return kinds;
}

/** RFC 9112 section 3.2: HTTP/1.1 requires Host, even beside an absolute-form. */
function isHostValid(host: string | undefined, version: string): boolean {
  return host === undefined ? version === '1.0' : isValidAuthority(host);
}

/**
 * Body length by RFC 9112 section 6.3, or null. Framing that two parsers could read differently is refused (request smuggling):
 * Content-Length beside Transfer-Encoding, any coding but a single `chunked`, and one in HTTP/1.0 (section 6.1).
 */
function readBodyLength(fields: FieldList, version: string): number | null {
  const length = joinedField(fields, 'content-length');
  const coding = joinedField(fields, 'transfer-encoding');
  if (coding !== undefined) {
    const isPlain = coding.toLowerCase() === 'chunked';
    return isPlain && length === undefined && version === '1.1' ? UNKNOWN_LENGTH : null;
  }
  if (length === undefined) return 0;
  return CONTENT_LENGTH.test(length) ? Number(length) : null;
}

/** There is one expectation (RFC 9110 section 10.1.1). In HTTP/1.0 the field has no meaning. */
function isExpectationKnown(fields: FieldList, version: string): boolean {
  const expect = joinedField(fields, 'expect');
  return expect === undefined || version === '1.0' || expect.toLowerCase() === '100-continue';
}
