// The outcome of reading a small text of the configuration, such as a duration or an address. Thread: main.

/** A value, or a sentence that says what is wrong and what is allowed. */
export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly message: string; readonly suggestion?: string | undefined };

const SHOWN_CHARACTERS = 60;

/** A text as messages show it: in quotes, control characters escaped, and cut where it is long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text);
}
