// The field lines inserted into the requests of one connection, cached because most requests get the same. Thread: worker.

import type { FieldList } from '../../core/head.ts';
import { FIELD_NAMES, kindOfName } from '../http1/field-kind.ts';
import { type FieldLines, fieldPrefix, type FieldPrefix, joinLines, lineOf, NO_LINES } from '../http1/field-line.ts';

/** Facts about the name of an inserted field. */
interface KnownName {
  readonly prefix: FieldPrefix;
  /** Set of its kind; 0 if it has none of its own. */
  readonly kind: number;
  readonly lower: string;
}

/** Inserted names come from code and configuration; bounded all the same. */
const MAX_KNOWN_NAMES = 1000;
const knownNames = new Map<string, KnownName>();

/** @throws TypeError if it is not a field name */
function knownName(name: string): KnownName {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  const made = { prefix: fieldPrefix(name), kind: ownKind(lower), lower };
  if (knownNames.size < MAX_KNOWN_NAMES) knownNames.set(name, made);
  return made;
}

/** The set of the kind that has exactly this name; 0 if there is none. @param name lower case */
export function ownKind(name: string): number {
  const kind = kindOfName(name);
  return FIELD_NAMES[kind] === name ? 1 << kind : 0;
}

/**
 * One per connection. Encodes fields as lines, and lists the client fields that they replace. All but the last field
 * mostly equal those of the last request: their lines are cached, so that values are checked once.
 */
export class InsertedLines {
  /** Of all fields but the last one. */
  firstLines: FieldLines = NO_LINES;
  /** Of the last field. */
  lastLine: FieldLines = NO_LINES;
  /** Kinds of the inserted names, and the names (lower case) that have no kind of their own. */
  kinds = 0;
  readonly others: string[] = [];
  #kept: FieldList = [];

  /** @throws TypeError if a value is not a field value */
  set(fields: FieldList): void {
    const last = fields.length - 2;
    if (!this.#isKept(fields, last)) this.#keep(fields, last);
    this.lastLine = last < 0 ? NO_LINES : lineOf(knownName(fields[last]!).prefix, fields[last + 1]!);
  }

  /** @param last index of the last field's name; its value may differ */
  #isKept(fields: FieldList, last: number): boolean {
    const kept = this.#kept;
    if (fields.length !== kept.length) return false;
    for (let at = 0; at <= last; at += 1) if (fields[at] !== kept[at]) return false;
    return true;
  }

  #keep(fields: FieldList, last: number): void {
    this.#kept = [];
    this.firstLines = NO_LINES;
    this.kinds = 0;
    this.others.length = 0;
    for (let at = 0; at <= last; at += 2) {
      const known = knownName(fields[at]!);
      if (known.kind !== 0) this.kinds |= known.kind;
      else this.others.push(known.lower);
      if (at < last) this.firstLines = joinLines(this.firstLines, lineOf(known.prefix, fields[at + 1]!));
    }
    this.#kept = fields;
  }
}
