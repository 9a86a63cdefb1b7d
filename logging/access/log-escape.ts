// Escapes text that clients choose: a log line is printable ASCII, and no field ends early. Stops log injection: forged
// lines and fields, terminal escape sequences. Thread: both.

/** Longest target in a line, in characters. */
export const MAX_TARGET = 2048;
/** Longest field value. */
export const MAX_TEXT = 1024;
/** Longest method, address or id. With the longest escapes (12 for 1) a line still fits into a chunk. */
export const MAX_WORD = 128;

/** End of a text that was cut. */
const CUT = '...';

/** The text, or its beginning. */
export function cutTo(max: number, text: string): string {
  return text.length <= max ? text : text.slice(0, max - CUT.length) + CUT;
}

const UNSAFE_JSON = /[^ !#-[\]-~]/;

/** Whether any character of the text must be escaped in `jsonString`. */
export function needsJsonEscape(text: string): boolean {
  return UNSAFE_JSON.test(text);
}

/** A JSON string in ASCII, quotes included. Lone surrogates are written as escapes. */
export function jsonString(text: string): string {
  if (!UNSAFE_JSON.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(/[^ -~]/g, (char) => `\\u${hex(char.charCodeAt(0), 4)}`);
}

const UNSAFE_QUOTED = /[^ !$-~]/gu;
const UNSAFE_BARE = /[^!$-z~]/gu;

/**
 * Text within HAProxy's quotes. HAProxy writes unprintable characters, the quote and the hash as `#` and two hex digits
 * (manual 8.6); a character above 255 becomes its UTF-8 bytes.
 */
export function haproxyQuoted(text: string): string {
  return text.search(UNSAFE_QUOTED) === -1 ? text : text.replace(UNSAFE_QUOTED, hashed);
}

/** Text of a HAProxy field that ends at a space, or stands between braces and bars. '' becomes `-`. */
export function haproxyBare(text: string): string {
  if (text === '') return '-';
  return text.search(UNSAFE_BARE) === -1 ? text : text.replace(UNSAFE_BARE, hashed);
}

function hashed(char: string): string {
  return bytesOf(char).reduce((text, byte) => `${text}#${hex(byte, 2).toUpperCase()}`, '');
}

const UNSAFE_APACHE = /[^ !#-[\]-~]/gu;
const APACHE_LETTERS: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

/** Text within Apache's quotes: C escapes, and `\xhh` for every other unprintable byte. */
export function apacheQuoted(text: string): string {
  return text.search(UNSAFE_APACHE) === -1 ? text : text.replace(UNSAFE_APACHE, backslashed);
}

/** Text of an Apache field that ends at a space. '' becomes `-`. */
export function apacheBare(text: string): string {
  return text === '' ? '-' : apacheQuoted(text).replaceAll(' ', '\\x20');
}

function backslashed(char: string): string {
  return APACHE_LETTERS[char] ?? bytesOf(char).reduce((text, byte) => `${text}\\x${hex(byte, 2)}`, '');
}

/** A character up to 255 is a byte from the wire (Node decodes heads as Latin-1). */
function bytesOf(char: string): readonly number[] {
  const code = char.charCodeAt(0);
  return code < 256 ? [code] : [...Buffer.from(char)];
}

/** Control characters (C0, DEL, C1) and Unicode's line separators. */
const CONTROLS = /[^ -~\u00a0-\u2027\u202a-\uffff]/g;

/** One line, whatever the text is: control characters are escaped, and a line feed ends it. */
export function singleLine(text: string): string {
  const line = text.endsWith('\n') ? text.slice(0, -1) : text;
  const isClean = line.search(CONTROLS) === -1;
  return `${isClean ? line : line.replace(CONTROLS, (char) => `\\u${hex(char.charCodeAt(0), 4)}`)}\n`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
