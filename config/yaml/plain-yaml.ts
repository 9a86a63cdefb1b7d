// Reads the part of YAML that nearly all configurations are written in, straight to values and places, in a fraction of the
// time of the full parser: block mappings and lists, flow collections on one line, scalars on one line, comments. Returns null
// at everything else (anchors, tags, escapes, block scalars, empty values, and every error), which the full parser reads and
// reports. Where this one returns a tree, that of the full parser is the same. Thread: main.

import { substitute, type Environment } from './environment.ts';
import type { Container, Places } from './places.ts';
import {
  CLOSE_LIST,
  CLOSE_MAPPING,
  COLON,
  COMMA,
  NEWLINE,
  NOT_PLAIN,
  OPEN_MAPPING,
  PlainScanner,
  refuse,
  SPACE,
} from './plain-scanner.ts';
import { SourceTree } from './source-tree.ts';
import type { SourceText } from './source-text.ts';

/** Limits below those of the full parser, which decides about files near its own. */
const DEEPEST = 32;
const MOST_TOKENS = 900_000;
const MOST_VALUES = 450_000;
/** YAML limits a key to 1024 characters. */
const LONGEST_KEY = 1000;

/** Control characters, line breaks other than LF, and marks of documents and directives. */
const UNUSUAL_TEXT = /[^\P{Cc}\n]|[\ufeff\u2028\u2029]|^(?:---|\.\.\.|%)/mu;
/** First characters of plain scalars that may be something else than text. */
const TYPED_BEGIN = /^[-+.0-9~nNtTfF]/;
const NULL = /^(?:~|[Nn]ull|NULL)$/;
const BOOLEAN = /^(?:[Tt]rue|TRUE|[Ff]alse|FALSE)$/;
const DECIMAL = /^[-+]?(?:[0-9]+|\.[0-9]+|[0-9]+\.[0-9]*)$/;
/** Numbers that are left to the full parser. */
const OTHER_NUMBER = /^(?:0[ox][0-9a-fA-F]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|[-+]?[.0-9]+[eE][-+]?[0-9]+)$/;

/** @param places shared by the files of one configuration */
export function readPlainYaml(source: SourceText, environment: Environment, places: Places): SourceTree | null {
  if (UNUSUAL_TEXT.test(source.text)) return null;
  const reader = new PlainReader(source, environment, places);
  try {
    const root = reader.readRoot();
    source.addLines();
    return new SourceTree(root, { main: source, places, hasVariables: reader.hasVariables });
  } catch (error) {
    if (error !== NOT_PLAIN) throw error;
    return null;
  }
}

class PlainReader {
  hasVariables = false;
  readonly #source: SourceText;
  readonly #scanner: PlainScanner;
  readonly #environment: Environment;
  readonly #places: Places;
  #values = 0;
  #depth = 0;
  /** Range of the key or value that was read last. */
  #begin = 0;
  #end = 0;

  constructor(source: SourceText, environment: Environment, places: Places) {
    this.#source = source;
    this.#scanner = new PlainScanner(source.text);
    this.#environment = environment;
    this.#places = places;
  }

  readRoot(): unknown {
    this.#scanner.nextLine();
    if (this.#scanner.column !== 0 || this.#scanner.isItem()) refuse();
    if (this.#scanner.isFlow()) refuse();
    const root = this.#readMapping(0);
    if (!this.#scanner.isAtEnd) refuse();
    if (this.#scanner.tokens > MOST_TOKENS) refuse();
    return root;
  }

  #enter(): void {
    if (++this.#depth > DEEPEST || ++this.#values > MOST_VALUES) refuse();
  }

  /** Reads a block mapping or list that begins on a line of its own. */
  #readBlock(column: number): Container {
    return this.#scanner.isItem() ? this.#readList(column) : this.#readMapping(column);
  }

  /** Reads a block mapping whose first key begins here. */
  #readMapping(column: number): Container {
    this.#enter();
    const map = Object.create(null) as Record<string, unknown>;
    const keys: string[] = [];
    const ranges: number[] = [];
    do {
      if (this.#scanner.isItem()) refuse();
      const key = this.#readKey(map);
      const at = ranges.length;
      ranges.push(this.#begin, this.#end, 0, 0);
      keys.push(key);
      map[key] = this.#readValue(map, key, column);
      ranges[at + 2] = this.#begin;
      ranges[at + 3] = this.#end;
    } while (this.#scanner.column === column);
    if (this.#scanner.column > column) refuse();
    this.#places.define(map, { source: this.#source, keys, ranges });
    this.#depth--;
    this.#begin = ranges[0]!;
    this.#end = this.#scanner.lineEnd;
    return map;
  }

  /** Reads a block list whose first item begins here. */
  #readList(column: number): Container {
    this.#enter();
    const begin = this.#scanner.at;
    const list: unknown[] = [];
    const ranges: number[] = [];
    do {
      this.#scanner.at++;
      this.#scanner.tokens += 2;
      const index = list.length;
      list.push(this.#readItem(list, index, column));
      ranges.push(this.#begin, this.#end, this.#begin, this.#end);
    } while (this.#scanner.column === column && this.#scanner.isItem());
    if (this.#scanner.column > column) refuse();
    this.#places.define(list, { source: this.#source, keys: null, ranges });
    this.#depth--;
    this.#begin = begin;
    this.#end = this.#scanner.lineEnd;
    return list;
  }

  /** Reads what follows a dash. */
  #readItem(list: unknown[], index: number, column: number): unknown {
    const dash = this.#scanner.at - 1;
    if (this.#scanner.endsLine()) {
      this.#scanner.finishLine();
      if (this.#scanner.column <= column) refuse();
      return this.#readBlock(this.#scanner.column);
    }
    if (this.#scanner.isItem()) refuse();
    if (this.#scanner.isKey()) return this.#readMapping(column + this.#scanner.at - dash);
    return this.#readInline(list, index);
  }

  /** Reads what follows a key of a block mapping and its colon. */
  #readValue(map: Container, key: string, column: number): unknown {
    if (!this.#scanner.endsLine()) {
      if (this.#scanner.isItem()) refuse();
      const value = this.#readInline(map, key);
      if (this.#scanner.column > column) refuse();
      return value;
    }
    this.#scanner.finishLine();
    if (this.#scanner.column > column) return this.#readBlock(this.#scanner.column);
    // A list may begin in the column of its key.
    if (this.#scanner.column === column && this.#scanner.isItem()) return this.#readList(column);
    return refuse();
  }

  /** Reads a scalar or flow collection, and goes to the next line. */
  #readInline(container: Container, key: string | number): unknown {
    const isFlow = this.#scanner.isFlow();
    const value = isFlow ? this.#readFlow() : this.#readScalar(container, key, false);
    const [begin, end] = [this.#begin, this.#end];
    this.#scanner.finishLine();
    this.#begin = begin;
    this.#end = end;
    return value;
  }

  /** Reads a key and its colon. */
  #readKey(map: Record<string, unknown>, isFlow = false): string {
    const begin = this.#scanner.at;
    const isQuoted = this.#scanner.isQuoted();
    this.#scanner.skipScalar(isFlow);
    const end = this.#scanner.at;
    const next = this.#scanner.text.charCodeAt(end + 1);
    const isColon = this.#scanner.code === COLON && (next === SPACE || next === NEWLINE);
    if (!isColon || end - begin > LONGEST_KEY) refuse();
    this.#scanner.at++;
    const key = isQuoted ? this.#scanner.text.slice(begin + 1, end - 1) : this.#scanner.text.slice(begin, end);
    if (key in map || key === '__proto__' || key === '<<' || (!isQuoted && NULL.test(key))) refuse();
    if (this.#depth === 1 && key.startsWith('x-')) refuse();
    this.#begin = begin;
    this.#end = end;
    this.#scanner.tokens += 4;
    return key;
  }

  #readScalar(container: Container, key: string | number, isFlow: boolean): unknown {
    const begin = this.#scanner.at;
    const isQuoted = this.#scanner.isQuoted();
    this.#scanner.skipScalar(isFlow);
    if (this.#scanner.code === COLON) refuse();
    const end = this.#scanner.at;
    this.#begin = begin;
    this.#end = end;
    this.#scanner.tokens += 3;
    if (++this.#values > MOST_VALUES) refuse();
    if (!isQuoted) return this.#typed(this.#scanner.text.slice(begin, end), container, key);
    return this.#substituted(this.#scanner.text.slice(begin + 1, end - 1), container, key, true);
  }

  #typed(text: string, container: Container, key: string | number): unknown {
    if (TYPED_BEGIN.test(text)) {
      if (NULL.test(text)) return null;
      if (BOOLEAN.test(text)) return text[0] === 't' || text[0] === 'T';
      if (DECIMAL.test(text)) return Number.parseFloat(text);
      if (OTHER_NUMBER.test(text)) refuse();
    }
    return this.#substituted(text, container, key, false);
  }

  #substituted(text: string, container: Container, key: string | number, isQuoted: boolean): string {
    if (!text.includes('$')) return text;
    const { faults, hasVariables, text: result } = substitute(text, this.#environment);
    if (faults.length > 0) refuse();
    if (hasVariables && !isQuoted) {
      this.hasVariables = true;
      this.#places.markVariable(container, key);
    }
    return result;
  }

  /** Reads a flow collection on one line. */
  #readFlow(): Container {
    this.#enter();
    const begin = this.#scanner.at;
    const isMapping = this.#scanner.code === OPEN_MAPPING;
    const close = isMapping ? CLOSE_MAPPING : CLOSE_LIST;
    const container: Container = isMapping ? (Object.create(null) as Record<string, unknown>) : [];
    const keys: string[] = [];
    const ranges: number[] = [];
    this.#scanner.at++;
    this.#scanner.skipSpaces();
    while (this.#scanner.code !== close) {
      const key = isMapping ? this.#readKey(container as Record<string, unknown>, true) : ranges.length / 4;
      const [keyBegin, keyEnd] = [this.#begin, this.#end];
      this.#scanner.skipSpaces();
      const value = this.#readFlowValue(container, key);
      if (isMapping) keys.push(key as string);
      ranges.push(isMapping ? keyBegin : this.#begin, isMapping ? keyEnd : this.#end, this.#begin, this.#end);
      (container as Record<string | number, unknown>)[key] = value;
      this.#scanner.skipSpaces();
      if (this.#scanner.code === COMMA) {
        this.#scanner.at++;
        this.#scanner.skipSpaces();
      } else if (this.#scanner.code !== close) refuse();
    }
    this.#scanner.at++;
    this.#places.define(container, { source: this.#source, keys: isMapping ? keys : null, ranges });
    this.#depth--;
    this.#begin = begin;
    this.#end = this.#scanner.at;
    return container;
  }

  #readFlowValue(container: Container, key: string | number): unknown {
    this.#scanner.tokens += 3;
    return this.#scanner.isFlow() ? this.#readFlow() : this.#readScalar(container, key, true);
  }
}
