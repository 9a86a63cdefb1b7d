// Position in the text of a plain YAML file: its lines and scalars (plain-yaml.ts). Thread: main.

export const NEWLINE = 10;
export const SPACE = 32;
const DOUBLE_QUOTE = 34;
const HASH = 35;
const SINGLE_QUOTE = 39;
export const COMMA = 44;
const DASH = 45;
export const COLON = 58;
const OPEN_LIST = 91;
const BACKSLASH = 92;
export const CLOSE_LIST = 93;
export const OPEN_MAPPING = 123;
export const CLOSE_MAPPING = 125;

/** A plain scalar begins with one of these; with a sign only before a letter or digit. */
const PLAIN_BEGIN = /^(?:[^\s\-?:,[\]{}#&*!|>'"%@`]|[-?:][A-Za-z0-9/._])/;

/** Thrown at everything that is left to the full parser. */
export const NOT_PLAIN = new Error('not plain YAML');

export function refuse(): never {
  throw NOT_PLAIN;
}

export class PlainScanner {
  readonly text: string;
  at = 0;
  /** Column of `at` where a line with a value begins there; -1 at the end of the text. */
  column = 0;
  /** End of the last line with a value, with its comment. */
  lineEnd = 0;
  /** Tokens of the full parser so far, roughly. */
  tokens = 0;

  constructor(text: string) {
    this.text = text;
  }

  get code(): number {
    return this.text.charCodeAt(this.at);
  }

  get isAtEnd(): boolean {
    return this.column === -1;
  }

  /** Skips empty lines and comments, up to the first character of the next line with a value. */
  nextLine(): void {
    const { text } = this;
    for (;;) {
      const lineBegin = this.at;
      this.skipSpaces();
      this.tokens += 3;
      const { code } = this;
      if (code === HASH) this.#skipComment();
      else if (code !== NEWLINE) {
        this.column = this.at < text.length ? this.at - lineBegin : -1;
        return;
      }
      this.at++;
    }
  }

  /** Skips spaces and a comment. Returns whether the line ends there. */
  endsLine(): boolean {
    const from = this.at;
    this.skipSpaces();
    if (this.code === HASH && this.at > from) this.#skipComment();
    return this.at >= this.text.length || this.code === NEWLINE;
  }

  /** Goes on to the next line with a value. */
  finishLine(): void {
    if (!this.endsLine()) refuse();
    this.lineEnd = this.at++;
    this.nextLine();
  }

  skipSpaces(): void {
    while (this.code === SPACE) this.at++;
  }

  #skipComment(): void {
    const newline = this.text.indexOf('\n', this.at);
    this.at = newline === -1 ? this.text.length : newline;
  }

  /** Whether an item of a block list begins here. */
  isItem(): boolean {
    if (this.code !== DASH) return false;
    const next = this.text.charCodeAt(this.at + 1);
    return next === SPACE || next === NEWLINE || this.at + 1 >= this.text.length;
  }

  isFlow(): boolean {
    return this.code === OPEN_LIST || this.code === OPEN_MAPPING;
  }

  isQuoted(): boolean {
    return this.code === DOUBLE_QUOTE || this.code === SINGLE_QUOTE;
  }

  /** Whether a key of a block mapping begins here. */
  isKey(): boolean {
    if (this.isFlow()) return false;
    const from = this.at;
    this.skipScalar(false);
    const isKey = this.code === COLON;
    this.at = from;
    return isKey;
  }

  /** Skips a scalar, up to the colon behind it if it is a key. */
  skipScalar(isInFlow: boolean): void {
    if (this.isQuoted()) this.#skipQuoted(this.code);
    else this.#skipPlain(isInFlow);
  }

  #skipQuoted(quote: number): void {
    const { text } = this;
    for (let at = this.at + 1; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === NEWLINE || (code === BACKSLASH && quote === DOUBLE_QUOTE)) refuse();
      if (code !== quote) continue;
      if (text.charCodeAt(at + 1) === quote) refuse();
      this.at = at + 1;
      return;
    }
    refuse();
  }

  /** Skips a plain scalar without the spaces behind it. */
  #skipPlain(isInFlow: boolean): void {
    const { text } = this;
    if (!PLAIN_BEGIN.test(text.slice(this.at, this.at + 2))) refuse();
    let end = this.at + 1;
    for (let at = end; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === NEWLINE || (isInFlow && isFlowIndicator(code))) break;
      if (code === SPACE) {
        if (text.charCodeAt(at + 1) === HASH) break;
        continue;
      }
      if (code === COLON && endsKey(text.charCodeAt(at + 1), isInFlow)) {
        if (at !== end) refuse();
        break;
      }
      end = at + 1;
    }
    this.at = end;
  }
}

function isFlowIndicator(code: number): boolean {
  return code === COMMA || code === OPEN_LIST || code === CLOSE_LIST || code === OPEN_MAPPING || code === CLOSE_MAPPING;
}

/** Whether a colon before this character ends a key. NaN is the end of the text. */
function endsKey(next: number, isInFlow: boolean): boolean {
  return next === SPACE || next === NEWLINE || Number.isNaN(next) || (isInFlow && isFlowIndicator(next));
}
