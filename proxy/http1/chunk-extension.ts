// The grammar of chunk extensions, byte by byte. Extensions are dropped (RFC 9112 section 7.1.1), but a parser that skips
// a malformed one may lose the chunk's boundary. Thread: both.

import { BLANK, CLASS, TEXT, TOKEN } from './byte-class.ts';

/** Positions in an extension list. */
export const ExtensionState = {
  /** Blanks after the chunk size: a ';' must follow. */
  BEFORE_SEMICOLON: 0,
  /** After ';': blanks, then a name. */
  BEFORE_NAME: 1,
  NAME: 2,
  /** Blanks after a name: ';' or '=' must follow. */
  AFTER_NAME: 3,
  /** After '=': blanks, then a token or a quoted string. */
  BEFORE_VALUE: 4,
  TOKEN_VALUE: 5,
  QUOTED_VALUE: 6,
  /** After a backslash in a quoted string. */
  QUOTED_PAIR: 7,
  /** After a quoted string. */
  AFTER_QUOTED: 8,
  /** Blanks after a value: ';' must follow. */
  AFTER_VALUE: 9,
} as const;

const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NAME_STATES = 1 << ExtensionState.NAME;
const FINAL_STATES = NAME_STATES | (1 << ExtensionState.TOKEN_VALUE) | (1 << ExtensionState.AFTER_QUOTED);

/** Whether a chunk-size line may end in this state. */
export function mayEndExtension(state: number): boolean {
  return ((FINAL_STATES >>> state) & 1) !== 0;
}

/**
 * The state after one more byte, or -1 if the grammar forbids the byte there:
 * `*( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )`. CR and LF never occur in it, quoted or not.
 */
export function stepExtension(state: number, byte: number): number {
  const bits = CLASS[byte]!;
  switch (state) {
    case ExtensionState.BEFORE_NAME:
      if ((bits & BLANK) !== 0) return state;
      return (bits & TOKEN) !== 0 ? ExtensionState.NAME : -1;
    case ExtensionState.NAME:
      if ((bits & TOKEN) !== 0) return state;
      return separate(byte, bits, ExtensionState.AFTER_NAME, true);
    case ExtensionState.AFTER_NAME:
      return separate(byte, bits, state, true);
    case ExtensionState.BEFORE_VALUE:
      if ((bits & BLANK) !== 0) return state;
      if (byte === QUOTE) return ExtensionState.QUOTED_VALUE;
      return (bits & TOKEN) !== 0 ? ExtensionState.TOKEN_VALUE : -1;
    case ExtensionState.TOKEN_VALUE:
      if ((bits & TOKEN) !== 0) return state;
      return separate(byte, bits, ExtensionState.AFTER_VALUE, false);
    case ExtensionState.QUOTED_VALUE:
      if (byte === QUOTE) return ExtensionState.AFTER_QUOTED;
      if (byte === BACKSLASH) return ExtensionState.QUOTED_PAIR;
      return (bits & TEXT) !== 0 ? state : -1;
    case ExtensionState.QUOTED_PAIR:
      return (bits & TEXT) !== 0 ? ExtensionState.QUOTED_VALUE : -1;
    case ExtensionState.AFTER_QUOTED:
      return separate(byte, bits, ExtensionState.AFTER_VALUE, false);
    default:
      return separate(byte, bits, state, false);
  }
}

/** Blanks lead to `blankState`; ';' begins the next extension, '=' a value. */
function separate(byte: number, bits: number, blankState: number, mayBeValue: boolean): number {
  if (byte === SEMICOLON) return ExtensionState.BEFORE_NAME;
  if (byte === EQUALS && mayBeValue) return ExtensionState.BEFORE_VALUE;
  return (bits & BLANK) !== 0 ? blankState : -1;
}
