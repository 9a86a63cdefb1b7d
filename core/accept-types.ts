// Chooses the media type of a response by Accept (RFC 9110 section 12.5.1). Thread: both.

/** Ranges that are read of one field: a client could send thousands. */
const MOST_RANGES = 32;

/**
 * Index of the type that a client prefers; the first of equals. -1 where it accepts none of them.
 * @param types such as `text/html`, lower case, without parameters
 */
export function preferredType(accept: string | undefined, types: readonly string[]): number {
  if (accept === undefined || accept.trim() === '') return types.length === 0 ? -1 : 0;
  const ranges = accept.toLowerCase().split(',', MOST_RANGES).map(rangeOf);
  let [chosen, best] = [-1, 0];
  for (const [index, type] of types.entries()) {
    const quality = qualityOf(type, ranges);
    if (quality > best) [chosen, best] = [index, quality];
  }
  return chosen;
}

interface Range {
  readonly type: string;
  readonly quality: number;
}

function rangeOf(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim());
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  const value = quality === undefined ? 1 : Number(quality.slice(2));
  return { type, quality: value >= 0 && value <= 1 ? value : 0 };
}

/** Of several ranges that fit the most specific one counts. */
function qualityOf(type: string, ranges: readonly Range[]): number {
  const group = `${type.slice(0, type.indexOf('/'))}/*`;
  for (const wanted of [type, group, '*/*']) {
    const range = ranges.find((one) => one.type === wanted);
    if (range !== undefined) return range.quality;
  }
  return 0;
}
