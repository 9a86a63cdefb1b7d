// The byte classes of the HTTP/1.1 grammar, as one table of bits for all scanners. Thread: both.

/** tchar: bytes of a method or a field name (RFC 9110 section 5.6.2). */
export const TOKEN = 1;
/** Bytes of a request target's path: VCHAR without '?' and '#'. See `TARGET`. */
export const PATH = 2;
/**
 * Bytes of a request target: VCHAR without '#', because a fragment is never sent (RFC 9112 section 3.2). The nine
 * bytes "<>\^`{|} that RFC 3986 excludes are accepted, since browsers send them; bytes from 0x80 are not.
 */
export const TARGET = 4;
/** Bytes of a field value or reason phrase: HTAB, SP, VCHAR, obs-text (RFC 9110 section 5.5). */
export const TEXT = 8;
/** Bytes of a registered name, '%' included: unreserved and sub-delims (RFC 3986 section 3.2.2). */
export const REG_NAME = 16;
export const DIGIT = 32;
export const HEX_DIGIT = 64;
/** SP and HTAB: OWS (RFC 9110 section 5.6.3). */
export const BLANK = 128;

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const HASH = 0x23;
export const PERCENT = 0x25;
export const ASTERISK = 0x2a;
export const COMMA = 0x2c;
export const DOT = 0x2e;
export const SLASH = 0x2f;
export const ZERO = 0x30;
export const COLON = 0x3a;
const QUESTION = 0x3f;

const DIGITS = '0123456789';
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Class bits of each byte value. */
export const CLASS: Uint8Array = buildClasses();

function buildClasses(): Uint8Array {
  const classes = new Uint8Array(256);
  const mark = (bytes: string, bit: number): void => {
    for (const byte of Buffer.from(bytes, 'latin1')) classes[byte]! |= bit;
  };
  for (let byte = 0x20; byte < 0x100; byte += 1) {
    if (byte !== 0x7f) classes[byte]! |= TEXT;
    if (byte > 0x20 && byte < 0x7f && byte !== HASH) classes[byte]! |= TARGET;
    if ((classes[byte]! & TARGET) !== 0 && byte !== QUESTION) classes[byte]! |= PATH;
  }
  mark('\t', TEXT);
  mark(' \t', BLANK);
  mark(DIGITS, DIGIT | HEX_DIGIT | TOKEN | REG_NAME);
  mark('abcdefABCDEF', HEX_DIGIT);
  mark(LETTERS, TOKEN | REG_NAME);
  mark("!#$%&'*+-.^_`|~", TOKEN);
  mark("-._~!$&'()*+,;=%", REG_NAME);
  return classes;
}

/** Whether every character of `text` from `start` to `end` has a bit of `bits`; true for an empty range. */
export function isAllOf(text: string, start: number, end: number, bits: number): boolean {
  for (let at = start; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 0xff || (CLASS[code]! & bits) === 0) return false;
  }
  return true;
}
