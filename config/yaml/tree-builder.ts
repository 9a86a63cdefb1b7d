// Builds plain values from a YAML document, with the source range of each key and value. Resolves aliases, merge keys and
// environment variables. Thread: main.

import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Document,
  type Pair,
  type ParsedNode,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { substitute, type Environment } from './environment.ts';
import { quoted } from '../values/parsed.ts';
import type { Finding, ProblemCode } from '../problems/problem.ts';
import { type Container, Places } from './places.ts';
import type { SourceText, TextRange } from './source-text.ts';
import { isContainer, SourceTree } from './source-tree.ts';
import type { PlacedFinding } from './yaml-text.ts';

/** Limit of values, with the target of an alias counted at each use: an alias bomb doubles them per line (billion laughs). */
const MOST_VALUES = 500_000;

/** The values of one file, and the problems with its aliases, keys and variables. */
export interface BuiltTree {
  readonly tree: SourceTree;
  readonly findings: readonly PlacedFinding[];
}

/** @param places shared by the files of one configuration */
export function buildTree(
  source: SourceText,
  document: Document.Parsed,
  environment: Environment,
  places: Places = new Places(),
): BuiltTree {
  const builder = new TreeBuilder(source, environment, places);
  const root = builder.buildRoot(document.contents);
  const { findings, hasVariables } = builder;
  return { tree: new SourceTree(root, { main: source, places, hasVariables }), findings };
}

/** A value and the number of values in it, including itself. */
interface Built {
  readonly value: unknown;
  readonly size: number;
}

class TreeBuilder {
  readonly findings: PlacedFinding[] = [];
  hasVariables = false;
  readonly #places: Places;
  readonly #source: SourceText;
  readonly #environment: Environment;
  readonly #anchors = new Map<string, Built | 'open'>();
  readonly #path: (string | number)[] = [];
  #mergedCount = 0;

  constructor(source: SourceText, environment: Environment, places: Places) {
    this.#source = source;
    this.#environment = environment;
    this.#places = places;
  }

  buildRoot(node: ParsedNode | null): unknown {
    const { value, size } = this.#build(node, [], 0);
    if (size > MOST_VALUES) {
      const most = MOST_VALUES.toLocaleString('en');
      this.#report('FL1104', `the file has more than ${most} values, counting each use of an alias`, [0, 1]);
      return undefined;
    }
    return value;
  }

  #build(node: ParsedNode | null, parent: Container, key: string | number): Built {
    if (node === null) return { value: null, size: 1 };
    if (isAlias(node)) return this.#resolveAlias(node.source, rangeOf(node));
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, 'open');
    this.#checkTag(node);
    const built = this.#buildBare(node, parent, key);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, built);
    return built;
  }

  #buildBare(node: ParsedNode, parent: Container, key: string | number): Built {
    if (isMap(node)) return this.#buildMap(node);
    if (isSeq(node)) return this.#buildList(node);
    const value: unknown = isScalar(node) ? node.value : null;
    if (typeof value !== 'string') return { value, size: 1 };
    const result = substitute(value, this.#environment);
    for (const fault of result.faults) this.#report(fault.code, fault.message, rangeOf(node));
    if (result.hasVariables && !isQuoted(node)) this.#markVariable(parent, key);
    return { value: result.text, size: 1 };
  }

  #buildList(node: YAMLSeq.Parsed): Built {
    const list: unknown[] = [];
    let size = 1;
    for (const [index, item] of node.items.entries()) {
      this.#path.push(index);
      const built = this.#build(item as ParsedNode, list, index);
      this.#path.pop();
      size += built.size;
      const place = rangeOf(item as ParsedNode);
      this.#places.set(list, index, { source: this.#source, key: place, value: place });
      list.push(built.value);
    }
    return { value: list, size };
  }

  #buildMap(node: YAMLMap.Parsed): Built {
    const map = Object.create(null) as Record<string, unknown>;
    const merged: { readonly value: unknown; readonly place: TextRange }[] = [];
    let size = 1;
    for (const pair of node.items) {
      const key = this.#keyOf(pair);
      if (key === null || this.#isDuplicate(map, key, pair)) continue;
      if (key === '<<' && !isQuoted(pair.key)) {
        if (merged.length > 0) this.#reportSecondMerge(pair);
        const findingsBefore = this.findings.length;
        const built = this.#build(pair.value, map, key);
        size += built.size;
        // A broken alias has been reported already.
        if (built.value === null && this.findings.length > findingsBefore) continue;
        merged.push({ value: built.value, place: rangeOf(pair.key) });
        continue;
      }
      size += this.#buildEntry(map, key, pair);
    }
    for (const { value, place } of merged) this.#merge(map, value, place);
    return { value: map, size };
  }

  #reportSecondMerge(pair: Pair<ParsedNode, ParsedNode | null>): void {
    const message = 'duplicate merge key <<: write it once with a list, such as <<: [*one, *other]';
    this.#report('FL1102', message, rangeOf(pair.key));
  }

  #buildEntry(map: Record<string, unknown>, key: string, pair: Pair<ParsedNode, ParsedNode | null>): number {
    // As in Compose files, top-level keys that begin with x- may hold anchors; they are otherwise ignored.
    const isLeftOut = this.#path.length === 0 && key.startsWith('x-');
    this.#path.push(key);
    const place = rangeOf(pair.key);
    const built = this.#build(pair.value, map, key);
    const value = pair.value === null ? place : rangeOf(pair.value);
    this.#places.set(map, key, { source: this.#source, key: place, value });
    if (!isLeftOut) map[key] = built.value;
    this.#path.pop();
    return built.size;
  }

  /** Applies `<<: *anchor` or a list of them: the mapping's own keys take precedence, then earlier items of the list. */
  #merge(map: Record<string, unknown>, value: unknown, place: TextRange): void {
    for (const source of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (!isContainer(source) || Array.isArray(source)) {
        const message = 'the merge key << takes a mapping or a list of mappings, such as <<: *defaults';
        this.#report('FL1106', message, place);
        return;
      }
      const entries = Object.entries(source);
      this.#mergedCount += entries.length;
      // Stops copying immediately; buildRoot reports the excess.
      if (this.#mergedCount > MOST_VALUES) return;
      for (const [key] of entries) {
        if (Object.hasOwn(map, key) || this.#places.of(source, key) === undefined) continue;
        this.#places.copy({ container: source, key }, { container: map, key });
      }
    }
  }

  #keyOf(pair: Pair<ParsedNode, ParsedNode | null>): string | null {
    const { key } = pair;
    if (isScalar(key) && key.value !== null)
      return this.#checkedKey(typeof key.value === 'string' ? key.value : (key as Scalar.Parsed).source, rangeOf(key));
    this.#report('FL1107', 'a key must be text, such as name: value', rangeOf(key));
    return null;
  }

  /** Refuses `__proto__`, which would set the prototype of the object instead of a key (prototype pollution). */
  #checkedKey(key: string, place: TextRange): string | null {
    if (key !== '__proto__') return key;
    this.#report('FL1107', 'the key __proto__ is not allowed: choose another name', place);
    return null;
  }

  #isDuplicate(map: Record<string, unknown>, key: string, pair: Pair<ParsedNode, ParsedNode | null>): boolean {
    const first = this.#places.of(map, key);
    if (first === undefined) return false;
    const { line } = this.#source.spanOf(first.key);
    this.#path.push(key);
    this.#report(
      'FL1102',
      `duplicate key ${quoted(key)}, first given in line ${line}: keep one of them`,
      rangeOf(pair.key),
    );
    this.#path.pop();
    return true;
  }

  #resolveAlias(name: string, place: TextRange): Built {
    const target = this.#anchors.get(name);
    if (target !== undefined && target !== 'open') return target;
    const why = target === 'open' ? 'is inside the value that it refers to' : 'has no anchor before it';
    const remedy = /^[\w-]+$/.test(name)
      ? `write &${name} at an earlier value`
      : `quote a value that begins with an asterisk, as in "*${name}"`;
    this.#report('FL1105', `the alias *${name} ${why}: ${remedy}`, place);
    return { value: null, size: 1 };
  }

  #checkTag(node: ParsedNode): void {
    if (node.tag === undefined || /^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq)$/.test(node.tag)) return;
    this.#report('FL1109', `the YAML tag ${quoted(node.tag)} is not supported: remove it`, rangeOf(node));
  }

  #markVariable(container: Container, key: string | number): void {
    this.hasVariables = true;
    this.#places.markVariable(container, key);
  }

  #report(code: ProblemCode, message: string, place: TextRange): void {
    const finding: Finding = { code, message, path: [...this.#path] };
    this.findings.push({ finding, span: this.#source.spanOf(place) });
  }
}

function isQuoted(node: ParsedNode): boolean {
  return isScalar(node) && node.type !== 'PLAIN';
}

function rangeOf(node: ParsedNode): TextRange {
  return [node.range[0], node.range[1]];
}
