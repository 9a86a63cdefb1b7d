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

/** Differs in each request as the last field does, wherever policies have inserted it. */
const TRACEPARENT = 'traceparent';
const TRACEPARENT_PREFIX = fieldPrefix(TRACEPARENT);

/** Names of fields to cut that have no kind of their own, in lower case. */
export interface OtherNames {
  readonly names: readonly string[];
  /** The same for the same names. */
  readonly key: string;
}

const NO_NAMES: OtherNames = { names: [], key: '' };

export function otherNames(names: readonly string[]): OtherNames {
  return names.length === 0 ? NO_NAMES : { names, key: names.join() };
}

/**
 * One per connection. Encodes fields as lines, and lists the client fields that they replace. All but the last field, and
 * `traceparent`, mostly equal those of the last request: their lines are cached, so that values are checked once.
 */
export class InsertedLines {
  /** Of the fields that mostly equal those of the last request. */
  firstLines: FieldLines = NO_LINES;
  /** Of `traceparent`, and of the last field. */
  lastLines: FieldLines = NO_LINES;
  /** Kinds of the inserted names, and the names that have no kind of their own. */
  kinds = 0;
  others = NO_NAMES;
  #kept: FieldList = [];
  /** Index of the value of `traceparent` before the last field; -1 where there is none. */
  #tracedAt = -1;

  /** @throws TypeError if a value is not a field value */
  set(fields: FieldList): void {
    const last = fields.length - 2;
    if (!this.#isKept(fields, last)) this.#keep(fields, last);
    const line = last < 0 ? NO_LINES : lineOf(knownName(fields[last]!).prefix, fields[last + 1]!);
    const traced = this.#tracedAt;
    this.lastLines = traced < 0 ? line : joinLines(lineOf(TRACEPARENT_PREFIX, fields[traced]!), line);
  }

  /** @param last index of the last field's name; its value may differ */
  #isKept(fields: FieldList, last: number): boolean {
    const kept = this.#kept;
    if (fields.length !== kept.length) return false;
    const traced = this.#tracedAt;
    for (let at = traced + 1; at <= last; at += 1) if (fields[at] !== kept[at]) return false;
    for (let at = 0; at < traced; at += 1) if (fields[at] !== kept[at]) return false;
    return true;
  }

  #keep(fields: FieldList, last: number): void {
    this.#kept = [];
    this.#tracedAt = -1;
    this.firstLines = NO_LINES;
    this.kinds = 0;
    const names: string[] = [];
    for (let at = 0; at <= last; at += 2) {
      const known = knownName(fields[at]!);
      if (known.kind !== 0) this.kinds |= known.kind;
      else names.push(known.lower);
      if (at === last) break;
      if (fields[at] === TRACEPARENT && this.#tracedAt < 0) this.#tracedAt = at + 1;
      else this.firstLines = joinLines(this.firstLines, lineOf(known.prefix, fields[at + 1]!));
    }
    this.others = otherNames(names);
    this.#kept = fields;
  }
}
