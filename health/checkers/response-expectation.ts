// Expectations on the response to an HTTP heartbeat beyond its status: header fields, and a pattern that the body must
// match. Pure. Thread: main.

/** Bytes of the body that are matched against the pattern (docs/algorithms.md 2.2). */
export const PATTERN_BYTES = 16_384;

/** Response fields as undici returns them: names in lower case, several lines of one name as a list. */
export type ResponseFields = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface ResponseExpectation {
  /** Fields that the response must carry: [name, value, ...], names in lower case. */
  readonly expectedFields: readonly string[];
  /** Regular expression that the first 16 KiB of the body must match; '' for any body. */
  readonly bodyPattern: string;
}

/** Describes how a response with a good status differs from what is expected; '' where it doesn't. */
export function unmetExpectation(
  { expectedFields, bodyPattern }: ResponseExpectation,
  fields: ResponseFields,
  body: Uint8Array,
): string {
  for (let i = 0; i + 1 < expectedFields.length; i += 2) {
    const name = expectedFields[i]!;
    const values = valuesOf(fields, name);
    if (values.length === 0) return `without ${name}`;
    if (!values.includes(expectedFields[i + 1]!)) return `with another ${name}`;
  }
  if (bodyPattern === '') return '';
  // The cut may split a character: the decoder then yields a replacement character instead of an error.
  const text = new TextDecoder().decode(body.subarray(0, PATTERN_BYTES));
  return new RegExp(bodyPattern, 'u').test(text) ? '' : 'with a body that does not match';
}

/** The values of a field, one for each line, without surrounding whitespace. */
export function valuesOf(fields: ResponseFields, name: string): string[] {
  const value = fields[name];
  if (value === undefined) return [];
  return (typeof value === 'string' ? [value] : value).map((one) => one.trim());
}
