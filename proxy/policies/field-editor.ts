// Edits of one message's fields: what is inserted, and whose names are removed from the head as it came. Nothing is
// copied until a policy edits, so that lists of the configuration are passed on as the same objects. Thread: both.

import type { FieldList } from '../../core/head.ts';
import { isFieldName, isFieldValue } from '../http1/field-line.ts';
import { type FieldDirection, reasonAgainstEdit } from './editable-fields.ts';
import type { RemovedNames } from './removed-names.ts';

/** Edits that no exchange changes. */
export interface ConstantEdits {
  readonly inserted: FieldList;
  readonly removed: RemovedNames;
}

/** The head that is edited. */
interface EditedHead {
  field(name: string): string | undefined;
}

export class FieldEditor {
  inserted: FieldList = [];
  removed: RemovedNames;
  readonly #direction: FieldDirection;

  constructor(direction: FieldDirection, removed: RemovedNames) {
    this.#direction = direction;
    this.removed = removed;
  }

  /** Begins a message. */
  begin(inserted: FieldList, removed: RemovedNames): void {
    this.inserted = inserted;
    this.removed = removed;
  }

  /** Goes on from other constant edits: what was edited on top of the earlier ones is edited again. */
  moveTo(before: ConstantEdits, after: ConstantEdits): void {
    const { inserted, removed } = this;
    this.begin(after.inserted, after.removed);
    for (const name of removed.names) if (!before.removed.names.has(name)) this.remove(name);
    if (inserted === before.inserted) return;
    for (let at = 0; at < inserted.length; at += 2) {
      const [name, value] = [inserted[at]!, inserted[at + 1]!];
      if (!hasPair(before.inserted, name, value)) this.inserted = [...this.inserted, name, value];
    }
  }

  /** Value as the receiver would get it, lines joined; undefined where there is none. @param name lower case */
  valueOf(name: string, head: EditedHead): string | undefined {
    const values: string[] = [];
    for (let at = 0; at < this.inserted.length; at += 2) {
      if (this.inserted[at]!.toLowerCase() === name) values.push(this.inserted[at + 1]!);
    }
    // Fields that are inserted into a request replace those of the client; into a response they come in addition.
    const isReplaced = this.removed.names.has(name) || (this.#direction === 'request' && values.length > 0);
    const own = isReplaced ? undefined : head.field(name);
    if (own !== undefined) values.unshift(own);
    return values.length === 0 ? undefined : values.join(name === 'cookie' ? '; ' : ', ');
  }

  /** @throws TypeError for what is no field, or may not be edited */
  set(name: string, value: string): void {
    const lower = checked(name, value, this.#direction);
    if (this.#direction === 'response') this.removed = this.removed.with(lower);
    this.inserted = [...this.#without(lower), name, value];
  }

  /** @throws TypeError as set */
  add(name: string, value: string, head: EditedHead): void {
    const lower = checked(name, value, this.#direction);
    const own = this.#direction === 'request' && !this.#has(lower) ? this.valueOf(lower, head) : undefined;
    this.inserted = own === undefined ? [...this.inserted, name, value] : [...this.inserted, name, own, name, value];
  }

  /** @throws TypeError as set */
  remove(name: string): void {
    const lower = checked(name, '', this.#direction);
    this.removed = this.removed.with(lower);
    if (this.#has(lower)) this.inserted = this.#without(lower);
  }

  /** Replaces the head's own lines of a name. @throws TypeError as set */
  replaceLines(name: string, values: readonly string[]): void {
    let lower = '';
    for (const value of values) lower = checked(name, value, this.#direction);
    this.removed = this.removed.with(lower);
    this.inserted = [...this.inserted, ...values.flatMap((value) => [name, value])];
  }

  #has(lower: string): boolean {
    for (let at = 0; at < this.inserted.length; at += 2) if (this.inserted[at]!.toLowerCase() === lower) return true;
    return false;
  }

  #without(lower: string): readonly string[] {
    return this.#has(lower)
      ? this.inserted.filter((_, at) => this.inserted[at - (at % 2)]!.toLowerCase() !== lower)
      : this.inserted;
  }
}

/** @returns the name in lower case */
function checked(name: string, value: string, direction: FieldDirection): string {
  if (typeof name !== 'string' || !isFieldName(name)) throw new TypeError(`not a field name: ${JSON.stringify(name)}`);
  if (typeof value !== 'string' || !isFieldValue(value)) throw new TypeError(`not a value for the field ${name}`);
  const lower = name.toLowerCase();
  const reason = reasonAgainstEdit(lower, direction);
  if (reason !== null) throw new TypeError(`the field ${name} may not be edited: ${reason}`);
  return lower;
}

function hasPair(fields: FieldList, name: string, value: string): boolean {
  return fields.some((field, at) => at % 2 === 0 && field === name && fields[at + 1] === value);
}
