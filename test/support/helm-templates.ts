// Renders the subset of Helm's templates that deploy/helm uses; anything else is an error, as are fields that don't exist
// where their text is needed. Thread: main.

import { createHash } from 'node:crypto';
import { stringify } from 'yaml';

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly expression: string }
  | { readonly kind: 'if' | 'with' | 'range'; readonly branches: readonly Branch[] };

/** A condition with its nodes; that of `else` is undefined. */
interface Branch {
  readonly condition: string | undefined;
  readonly nodes: Node[];
}

interface Scope {
  readonly dot: unknown;
  readonly root: unknown;
}

interface Token {
  /** Text, or an action without its braces. */
  readonly text: string;
  readonly isAction: boolean;
}

/** The templates of a chart: files whose names begin with `_` only define parts. */
export class HelmTemplates {
  readonly #defined = new Map<string, Node[]>();
  readonly #files = new Map<string, Node[]>();

  /** @param files texts by name */
  constructor(files: ReadonlyMap<string, string>) {
    for (const [name, text] of files) {
      const tokens = tokensOf(text);
      const nodes = this.#parse(tokens);
      if (tokens.length > 0) throw new Error(`${name}: "${tokens[0]!.text}" closes nothing`);
      if (!name.startsWith('_')) this.#files.set(name, nodes);
    }
  }

  /** Texts of the files that aren't blank. @param root Values, Release, Chart */
  render(root: unknown): Map<string, string> {
    const rendered = [...this.#files].map(([name, nodes]) => [name, this.#text(nodes, { dot: root, root })] as const);
    return new Map(rendered.filter(([, text]) => text.trim() !== ''));
  }

  /** Consumes tokens up to one that ends the block. */
  #parse(tokens: Token[]): Node[] {
    const nodes: Node[] = [];
    for (let token = tokens[0]; token !== undefined; token = tokens[0]) {
      const [word = '', ...rest] = token.isAction ? token.text.split(/\s+/) : [];
      if (word === 'end' || word === 'else') return nodes;
      tokens.shift();
      if (!token.isAction) nodes.push({ kind: 'text', text: token.text });
      else if (word === 'define') this.#define(rest.join(' '), tokens);
      else if (word === 'if' || word === 'with' || word === 'range') {
        nodes.push({ kind: word, branches: this.#branches(rest.join(' '), tokens) });
      } else if (!word.startsWith('/*')) nodes.push({ kind: 'output', expression: token.text });
    }
    return nodes;
  }

  #define(name: string, tokens: Token[]): void {
    this.#defined.set(JSON.parse(name) as string, this.#parse(tokens));
    if (tokens.shift()?.text !== 'end') throw new Error(`define ${name}: no end`);
  }

  #branches(first: string, tokens: Token[]): Branch[] {
    const branches: Branch[] = [{ condition: first, nodes: this.#parse(tokens) }];
    for (let closing = tokens.shift(); closing?.text !== 'end'; closing = tokens.shift()) {
      if (closing === undefined) throw new Error(`${first}: no end`);
      const condition = /^else if (.*)$/s.exec(closing.text)?.[1];
      branches.push({ condition, nodes: this.#parse(tokens) });
    }
    return branches;
  }

  #text(nodes: readonly Node[], scope: Scope): string {
    return nodes.map((node) => this.#textOfNode(node, scope)).join('');
  }

  #textOfNode(node: Node, scope: Scope): string {
    if (node.kind === 'text') return node.text;
    if (node.kind === 'output') return printed(this.#evaluate(node.expression, scope), node.expression);
    for (const { condition, nodes } of node.branches) {
      const value = condition === undefined ? true : this.#evaluate(condition, scope);
      if (!isTrue(value)) continue;
      if (condition === undefined || node.kind === 'if') return this.#text(nodes, scope);
      const items = node.kind === 'with' ? [value] : (value as readonly unknown[]);
      return items.map((dot) => this.#text(nodes, { dot, root: scope.root })).join('');
    }
    return '';
  }

  #evaluate(expression: string, scope: Scope): unknown {
    const tokens = expression.match(/"(?:[^"\\]|\\.)*"|[()|]|[^\s()|]+/g) ?? [];
    const value = this.#pipeline(tokens, scope);
    if (tokens.length > 0) throw new Error(`${expression}: "${tokens[0]!}" is out of place`);
    return value;
  }

  #pipeline(tokens: string[], scope: Scope): unknown {
    let value = this.#command(tokens, scope, []);
    while (tokens[0] === '|') {
      tokens.shift();
      value = this.#command(tokens, scope, [value]);
    }
    return value;
  }

  /** A function with its arguments, of which the piped value is the last one; or a single value. */
  #command(tokens: string[], scope: Scope, piped: readonly unknown[]): unknown {
    const name = /^[a-z]\w*$/i.test(tokens[0] ?? '') ? tokens.shift()! : undefined;
    const values: unknown[] = [];
    while (tokens.length > 0 && tokens[0] !== '|' && tokens[0] !== ')') values.push(this.#term(tokens, scope));
    values.push(...piped);
    if (name === 'include') return this.#include(values);
    if (name !== undefined) return call(name, values);
    if (values.length !== 1) throw new Error(`one value expected in place of ${values.length}`);
    return values[0];
  }

  #include([name, dot]: readonly unknown[]): string {
    const nodes = this.#defined.get(String(name));
    if (nodes === undefined) throw new Error(`include "${String(name)}": not defined`);
    return this.#text(nodes, { dot, root: dot });
  }

  #term(tokens: string[], scope: Scope): unknown {
    const token = tokens.shift()!;
    if (token === '(') {
      const value = this.#pipeline(tokens, scope);
      if (tokens.shift() !== ')') throw new Error('a parenthesis is not closed');
      return value;
    }
    if (/^["\d-]/.test(token)) return JSON.parse(token) as unknown;
    if (!/^\$?(?:\.|(?:\.\w+)+)?$/.test(token)) throw new Error(`${token}: not in the subset`);
    const start = token.startsWith('$') ? scope.root : scope.dot;
    return token
      .split('.')
      .slice(1)
      .filter(Boolean)
      .reduce((value, key) => fieldOf(value, key, token), start);
  }
}

/** Text and actions; `{{-` and `-}}` remove the white space beside them. */
function tokensOf(text: string): Token[] {
  const parts = text
    .replaceAll(/\s*\{\{- /g, '{{ ')
    .replaceAll(/ -\}\}\s*/g, ' }}')
    .split(/\{\{([\s\S]*?)\}\}/);
  const tokens = parts.map((part, index) => ({
    text: index % 2 === 1 ? part.trim() : part,
    isAction: index % 2 === 1,
  }));
  return tokens.filter((token) => token.isAction || token.text !== '');
}

/** A missing field is undefined, as an absent key of a map; a field of something that is no map is an error. */
function fieldOf(value: unknown, key: string, path: string): unknown {
  if (typeof value !== 'object' || value === null) throw new Error(`${path}: there is no map to take ${key} from`);
  return (value as Readonly<Record<string, unknown>>)[key];
}

function isTrue(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

function printed(value: unknown, expression: string): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Error(`${expression}: ${value === undefined ? 'there is no such value' : 'not a text, number or boolean'}`);
}

function call(name: string, values: readonly unknown[]): unknown {
  const [first, second] = values;
  switch (name) {
    case 'default':
      return isTrue(second) ? second : first;
    case 'quote':
      return JSON.stringify(printed(first, name));
    case 'toYaml':
      return stringify(first, { lineWidth: 0 }).trimEnd();
    case 'nindent':
      return `\n${printed(second, name).replaceAll(/^/gm, ' '.repeat(Number(first)))}`;
    case 'sha256sum':
      return createHash('sha256').update(printed(first, name)).digest('hex');
    case 'eq':
      return first === second;
    case 'not':
      return !isTrue(first);
    case 'and':
      return values.find((value) => !isTrue(value)) ?? values.at(-1);
    case 'or':
      return values.find(isTrue) ?? values.at(-1);
    default:
      throw new Error(`the function ${name} is not in the subset`);
  }
}
