// Request fields that only a trusted proxy may send: a client could use them to pose as another client, or to have an
// application serve another path than the one that was routed. Thread: both.

import type { ListenerSnapshot } from '../../core/snapshot/listener.ts';
import { FIELD_NAMES, FieldKind, kindOfName } from '../http1/field-kind.ts';
import { FIELD_STRIDE, type MessageHead } from '../http1/message-head.ts';

/** Kinds whose fields have different names: each is compared. */
const NAMELESS_KINDS = (1 << FieldKind.OTHER) | (1 << FieldKind.X_FORWARDED_OTHER);
const FORWARDED_PREFIX = 'x-forwarded-';
/** Names of this length and longer share their slots. */
const LONGEST = 63;

/** Compiled by the list that a listener's settings hold. */
const compiled = new WeakMap<readonly string[], TrustedOnlyFields>();

/** Those that a client may not send; null for a trusted proxy. */
export function trustedOnlyFor(
  { trustedOnlyFields }: Pick<ListenerSnapshot, 'trustedOnlyFields'>,
  { isTrusted }: { readonly isTrusted: boolean },
): TrustedOnlyFields | null {
  if (isTrusted || trustedOnlyFields.length === 0) return null;
  let fields = compiled.get(trustedOnlyFields);
  if (fields === undefined) compiled.set(trustedOnlyFields, (fields = new TrustedOnlyFields(trustedOnlyFields)));
  return fields;
}

/** Heads without such a field cost one table look-up for each field without a kind. */
export class TrustedOnlyFields {
  /** Set of kinds that are listed. */
  readonly #kinds: number;
  /** Other names by length and first letter. */
  readonly #names: (readonly string[] | undefined)[] = [];
  readonly #prefixes: readonly string[];

  /** @param patterns lower-case names; one that ends in `*` stands for all that begin so */
  constructor(patterns: readonly string[]) {
    const prefixes = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
    const names = patterns.filter((pattern) => !pattern.endsWith('*'));
    let kinds = 0;
    for (const [kind, name] of FIELD_NAMES.entries()) {
      if (name !== '' && (names.includes(name) || prefixes.some((prefix) => name.startsWith(prefix)))) {
        kinds |= 1 << kind;
      }
    }
    if (prefixes.some((prefix) => FORWARDED_PREFIX.startsWith(prefix))) kinds |= 1 << FieldKind.X_FORWARDED_OTHER;
    this.#kinds = kinds;
    this.#prefixes = prefixes.filter((prefix) => prefix !== FORWARDED_PREFIX);
    for (const name of names) {
      if (FIELD_NAMES[kindOfName(name)] === name) continue;
      const slot = slotOf(name.length, name.charCodeAt(0));
      this.#names[slot] = [...(this.#names[slot] ?? []), name];
    }
  }

  /** Cuts the fields from a scanned head. */
  cutFrom(message: MessageHead): void {
    const { fieldCount, offsets, text } = message;
    for (let index = 0; index < fieldCount; index += 1) {
      const kind = message.kindAt(index);
      if (((this.#kinds >>> kind) & 1) !== 0) {
        message.cut(index);
        continue;
      }
      if (((NAMELESS_KINDS >>> kind) & 1) === 0) continue;
      const start = offsets[index * FIELD_STRIDE]!;
      const names = this.#names[slotOf(offsets[index * FIELD_STRIDE + 1]! - start, text.charCodeAt(start))];
      if (names?.some((name) => message.nameEquals(index, name))) message.cut(index);
      else if (this.#prefixes.length > 0 && this.#hasPrefix(message.nameText(index).toLowerCase())) message.cut(index);
    }
  }

  /** @param name lower case */
  has(name: string): boolean {
    if (((this.#kinds >>> kindOfName(name)) & 1) !== 0) return true;
    const names = this.#names[slotOf(name.length, name.charCodeAt(0))];
    return (names?.includes(name) ?? false) || this.#hasPrefix(name);
  }

  #hasPrefix(name: string): boolean {
    return this.#prefixes.some((prefix) => name.startsWith(prefix));
  }
}

/** Ignores case: bit 0x20 is not part of it. */
function slotOf(length: number, firstCode: number): number {
  return (Math.min(length, LONGEST) << 5) | (firstCode & 31);
}
