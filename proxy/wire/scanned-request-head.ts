// A request head over scanned bytes: strings and lists are made on demand. Thread: worker.

import { type FieldList, type RequestHead, UNKNOWN_LENGTH } from '../../core/head.ts';
import { ALWAYS_CUT, FRAMING_KINDS } from '../http1/encoder.ts';
import { FieldKind, FORWARDING_KINDS, kindSet } from '../http1/field-kind.ts';
import { BodyKind, Framing } from '../http1/framing.ts';
import { FIELD_STRIDE, MessageHead } from '../http1/message-head.ts';
import { SentLines } from '../http1/sent-lines.ts';
import { flatText } from './flat-text.ts';
import { InsertedLines, type OtherNames } from './inserted-lines.ts';

const NOT_END_TO_END = ALWAYS_CUT | FRAMING_KINDS | kindSet(FieldKind.HOST);

/** Names of fields to cut: the set of those that have a kind, and the others. */
export interface CutNames {
  readonly kinds: number;
  readonly others: OtherNames;
}

/** Parts of a request head that are known as strings: its text need not be cut into them, nor even be put together. */
export interface KnownParts {
  /** The first line, its CRLF included. */
  readonly firstLine: string;
  readonly target: string;
  readonly authority: string;
  /** Of the block that the field lines repeat; null where they are this request's own. */
  readonly sentLines: SentLines | null;
}

/**
 * One per connection, reused for each request: scan into `message`, frame into `framing`, then call `begin`. Valid until
 * its exchange has ended. It also marks our own client side to transports, which uses response heads and chunks within
 * the turn that brings them, and accepts events inside `send`.
 */
export class ScannedRequestHead implements RequestHead {
  readonly message: MessageHead = new MessageHead();
  readonly framing: Framing = new Framing();
  /** Of the client's request; set once by a client side that serves another version. */
  version = '1.1';
  /** The lines inserted into the connection's requests. */
  readonly inserted: InsertedLines = new InsertedLines();
  method = '';
  bodyLength = 0;
  #firstLine: string | null = null;
  #target: string | null = null;
  #authority: string | null = null;
  readonly #ownLines = new SentLines();
  /** The last result of `lines`. */
  #sentLines = this.#ownLines;

  /** Invalidates caches: the field lines have changed. */
  forget(): void {
    this.#authority = null;
    this.#ownLines.isMade = false;
    this.#sentLines = this.#ownLines;
  }

  /** Starts a request: its head has been scanned and framed. */
  begin(): void {
    this.method = this.message.methodText;
    this.bodyLength = this.framing.body === BodyKind.CHUNKED ? UNKNOWN_LENGTH : this.framing.lengthBytes;
    this.#firstLine = null;
    this.#target = null;
  }

  /** Starts a request whose head was not scanned but put together of known parts. */
  beginOf({ firstLine, target, authority, sentLines }: KnownParts): void {
    this.begin();
    this.#firstLine = firstLine;
    this.#target = target;
    this.#authority = authority;
    this.#ownLines.isMade = false;
    this.#sentLines = sentLines ?? this.#ownLines;
  }

  get target(): string {
    this.#target ??= this.message.targetText;
    return this.#target;
  }

  get authority(): string {
    this.#authority ??= this.message.hostText;
    return this.#authority;
  }

  /** The scan has refused every other expectation. */
  get expectsContinue(): boolean {
    return this.bodyLength !== 0 && this.message.has(FieldKind.EXPECT);
  }

  get mayClaimOrigin(): boolean {
    return this.message.hasAny(FORWARDING_KINDS);
  }

  field(name: string): string | undefined {
    return this.message.field(name);
  }

  endToEndFields(): FieldList {
    return this.message.fieldList(NOT_END_TO_END);
  }

  /** The first line, its CRLF included. */
  get firstLine(): string {
    return this.#firstLine ?? this.message.text.slice(0, this.message.fieldsStart);
  }

  /** The field lines that are not cut, then the inserted lines but those of `inserted.lastLines`. */
  lines(kinds: number, removed: CutNames): string {
    const { others, firstLines } = this.inserted;
    const sent = this.#sentLines;
    const { authority } = this;
    const isSame = sent.isMade && sent.authority === authority && sent.cutKinds === kinds && sent.added === firstLines;
    if (isSame && sent.removed === removed.others.key && sent.replaced === others.key) return sent.text;
    sent.text = flatText(keptLines(this.message, kinds, [...removed.others.names, ...others.names]) + firstLines);
    sent.authority = authority;
    sent.cutKinds = kinds;
    sent.added = firstLines;
    sent.removed = removed.others.key;
    sent.replaced = others.key;
    sent.isMade = true;
    return sent.text;
  }
}

/** The remaining scanned lines, unchanged, joined from ranges. */
function keptLines(message: MessageHead, kinds: number, names: readonly string[]): string {
  const { text, offsets, fieldCount } = message;
  let kept = '';
  let from = message.fieldsStart;
  for (let index = 0; index < fieldCount; index += 1) {
    if (!message.isCut(index, kinds) && !isNamed(message, index, names)) continue;
    const lineStart = offsets[index * FIELD_STRIDE]!;
    if (lineStart > from) kept += text.slice(from, lineStart);
    from = offsets[index * FIELD_STRIDE + FIELD_STRIDE]!;
  }
  return kept + text.slice(from, offsets[fieldCount * FIELD_STRIDE]);
}

function isNamed(message: MessageHead, index: number, names: readonly string[]): boolean {
  for (const name of names) if (message.nameEquals(index, name)) return true;
  return false;
}
