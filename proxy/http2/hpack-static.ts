// The static table of HPACK (RFC 7541 appendix A). Thread: both.

import { HeaderField } from './header-field.ts';

/** Names and values in order; a value follows the first blank. */
const ROWS: readonly string[] = [
  ':authority',
  ':method GET',
  ':method POST',
  ':path /',
  ':path /index.html',
  ':scheme http',
  ':scheme https',
  ':status 200',
  ':status 204',
  ':status 206',
  ':status 304',
  ':status 400',
  ':status 404',
  ':status 500',
  'accept-charset',
  'accept-encoding gzip, deflate',
  'accept-language',
  'accept-ranges',
  'accept',
  'access-control-allow-origin',
  'age',
  'allow',
  'authorization',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'etag',
  'expect',
  'expires',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'link',
  'location',
  'max-forwards',
  'proxy-authenticate',
  'proxy-authorization',
  'range',
  'referer',
  'refresh',
  'retry-after',
  'server',
  'set-cookie',
  'strict-transport-security',
  'transfer-encoding',
  'user-agent',
  'vary',
  'via',
  'www-authenticate',
];

/** By index; index 0 is unused. */
export const STATIC_TABLE: readonly HeaderField[] = [
  new HeaderField('', ''),
  ...ROWS.map((row) => {
    const blank = row.indexOf(' ');
    return blank < 0 ? new HeaderField(row, '') : new HeaderField(row.slice(0, blank), row.slice(blank + 1));
  }),
];

/** The first index of the dynamic table (section 2.3.3). */
export const FIRST_DYNAMIC_INDEX: number = STATIC_TABLE.length;

const NAME_INDEX: ReadonlyMap<string, number> = new Map(
  STATIC_TABLE.map(({ name }, index): [string, number] => [name, index])
    .slice(1)
    .toReversed(),
);

/** The first static index of a name; 0 if there is none. */
export function staticNameIndex(name: string): number {
  return NAME_INDEX.get(name) ?? 0;
}

/** The static index of a field; 0 if there is none. */
export function staticFieldIndex(name: string, value: string): number {
  for (let index = staticNameIndex(name); index > 0 && index < FIRST_DYNAMIC_INDEX; index += 1) {
    const field = STATIC_TABLE[index]!;
    if (field.name !== name) return 0;
    if (field.value === value) return index;
  }
  return 0;
}
