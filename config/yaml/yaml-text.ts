// Parses text to a YAML document, in bounded time and memory for any input. Thread: main.

import {
  Composer,
  Lexer,
  Parser,
  isCollection,
  isNode,
  isScalar,
  visit,
  type CST,
  type Document,
  type YAMLError,
} from 'yaml';
import type { Finding, Span } from '../problems/problem.ts';
import type { SourceText, TextRange } from './source-text.ts';

/** Limit of nesting levels. A configuration needs about ten; deep nesting would exhaust the composer's stack. */
const DEEPEST = 64;
/** Limit of lexical tokens: 10,000 endpoints written as mappings have about 200,000. */
const MOST_TOKENS = 1_000_000;
/** Limit of reported syntax errors; later ones are mostly consequences. */
const MOST_SYNTAX_ERRORS = 20;

/** A finding with its span. */
export interface PlacedFinding {
  readonly finding: Finding;
  readonly span: Span;
}

export type YamlOutcome =
  | { readonly ok: true; readonly document: Document.Parsed }
  | { readonly ok: false; readonly findings: readonly PlacedFinding[] };

/** Parses exactly one YAML 1.2 document. Duplicate keys, aliases and tags are checked by SourceTree. */
export function parseYaml(source: SourceText): YamlOutcome {
  const reader = new BoundedReader(source);
  const composer = new Composer({ uniqueKeys: false, version: '1.2', prettyErrors: false });
  const [document, second] = withoutEnvironment(() =>
    Array.from(composer.compose(reader.tokens(), true, source.text.length)),
  );
  if (reader.refusal !== null) return { ok: false, findings: [reader.refusal] };
  const forbidden = forbiddenCharacter(source);
  if (forbidden !== null) return { ok: false, findings: [forbidden] };
  if (document === undefined) throw new Error('the YAML composer gave no document');
  const errors = [...document.errors, ...document.warnings.filter((warning) => warning.code !== 'TAG_RESOLVE_FAILED')];
  const findings = syntaxFindings(source, document, errors);
  if (second !== undefined) findings.push(severalDocuments(source, second));
  findings.push(...refusedVersion(source, document));
  return findings.length > 0 ? { ok: false, findings } : { ok: true, document };
}

/**
 * Hides the environment from the parser, which looks up process.env.LOG_TOKENS at every token; the native lookups cost a
 * seventh of the time for 10,000 endpoints (501 ms against 422 ms, Node 26). Synchronous, so that no other code sees it.
 */
function withoutEnvironment<Result>(act: () => Result): Result {
  const { env } = process;
  process.env = {};
  try {
    return act();
  } finally {
    process.env = env;
  }
}

/** Passes tokens from the lexer to the parser and stops at the limits, before the recursive composer runs. */
class BoundedReader {
  readonly #source: SourceText;
  refusal: PlacedFinding | null = null;

  constructor(source: SourceText) {
    this.#source = source;
  }

  *tokens(): Generator<CST.Token, void> {
    const parser = new Parser(this.#source.lines.addNewLine);
    let count = 0;
    for (const lexeme of new Lexer().lex(this.#source.text)) {
      count += 1;
      const refusal = parser.stack.length > DEEPEST ? tooDeep : count > MOST_TOKENS ? tooMany : null;
      if (refusal !== null) {
        this.#refuse(parser.offset, refusal);
        return;
      }
      yield* parser.next(lexeme);
    }
    yield* parser.end();
  }

  #refuse(offset: number, finding: Finding): void {
    this.refusal = { finding, span: this.#source.spanOf([offset, offset + 1]) };
  }
}

const tooDeep: Finding = { code: 'FL1103', path: [], message: `the file is nested deeper than ${DEEPEST} levels` };
const tooMany: Finding = {
  code: 'FL1104',
  path: [],
  message: `the file has more than ${MOST_TOKENS.toLocaleString('en')} YAML tokens`,
};

/** Control characters that YAML forbids: all but tab, LF, CR LF and NEL (YAML 1.2.2 section 5.1). The parser accepts them. */
const FORBIDDEN = /\r(?!\n)|(?![\t\n\r\x85])\p{Cc}/u;

/** Reports the first forbidden character: one is enough to refuse the file. */
function forbiddenCharacter(source: SourceText): PlacedFinding | null {
  const match = FORBIDDEN.exec(source.text);
  if (match === null) return null;
  const number = match[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  const message =
    match[0] === '\r'
      ? 'carriage return without line feed: save the file with Unix (LF) or Windows (CR LF) line endings'
      : `the control character U+${number} is not allowed in YAML: remove it, or write \\x${number.slice(2)} in double quotes`;
  return { finding: { code: 'FL1101', path: [], message }, span: source.spanOf([match.index, match.index + 1]) };
}

function severalDocuments(source: SourceText, second: Document.Parsed): PlacedFinding {
  const message =
    'a second YAML document begins here: a configuration is one document, so remove the --- or ... before it';
  const begin = second.range[0];
  return { finding: { code: 'FL1108', path: [], message }, span: source.spanOf([begin, begin + 3]) };
}

/** Refuses `%YAML 1.1`, which would change the meaning of `yes`, `010` and `1:30`. */
function refusedVersion(source: SourceText, document: Document.Parsed): PlacedFinding[] {
  const { yaml } = document.directives;
  if (yaml.explicit !== true || yaml.version === '1.2') return [];
  const message = `%YAML ${yaml.version} is not supported: the configuration is YAML 1.2, so remove the directive`;
  return [{ finding: { code: 'FL1101', path: [], message }, span: source.spanOf([0, 1]) }];
}

/** Reports one error per line, and drops the follow-up errors of a broken stream. */
function syntaxFindings(source: SourceText, document: Document.Parsed, errors: readonly YAMLError[]): PlacedFinding[] {
  const findings: PlacedFinding[] = [];
  const linesSeen = new Set<number>();
  for (const error of errors) {
    if (findings.length >= MOST_SYNTAX_ERRORS) break;
    if (findings.length > 0 && error.message.includes('in YAML stream')) continue;
    const span = source.spanOf(placeOf(document, error));
    if (linesSeen.has(span.line)) continue;
    linesSeen.add(span.line);
    const message = `${sentenceFor(error)}${hintFor(source.lineAt(error.pos[0]))}`;
    findings.push({ finding: { code: 'FL1101', path: [], message }, span });
  }
  return findings;
}

/** Location of an error: for an unclosed quote or bracket its opening, not the point where the parser stopped. */
function placeOf(document: Document.Parsed, error: YAMLError): TextRange {
  const isQuote = error.message.startsWith('Missing closing');
  if (!isQuote && !UNCLOSED.test(error.message)) return error.pos;
  let opening: TextRange = error.pos;
  visit(document, (_key, node) => {
    const isFitting = isQuote ? isScalar(node) : isCollection(node) && node.flow === true;
    if (!isFitting || !isNode(node) || !node.range || node.range[0] >= error.pos[0] || node.range[1] < error.pos[0])
      return;
    opening = [node.range[0], node.range[0] + 1];
  });
  return opening;
}

const UNCLOSED = /end with a [\]}]$/;

/** Messages for parser errors by code. Other errors keep the parser's message. */
const SENTENCES: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'tab in the indentation: YAML allows spaces only',
  BLOCK_AS_IMPLICIT_KEY:
    'two keys run together: put each on its own line with the same indentation, or quote the value',
  MULTILINE_IMPLICIT_KEY: 'a key without a colon: write key: value, with a space after the colon',
  BAD_SCALAR_START: 'a value cannot begin with this character: quote the value',
  BAD_DQ_ESCAPE: 'an unknown escape in double quotes: write \\\\ for a backslash, or use single quotes',
};

const BY_WORDS: readonly (readonly [words: RegExp, sentence: string])[] = [
  [/^Missing closing/, 'unclosed quote'],
  [UNCLOSED, 'unclosed bracket or brace'],
  [/must start at the same column/, 'the indentation differs from that of the neighbouring entries'],
  [/without - indicator/, 'the indentation is neither that of the list before it nor that of its key'],
  [/need to be followed by map values/, 'a key without a value: write key: value, with a space after the colon'],
  [/on same line with key/, 'a list or mapping cannot begin on the line of its key: start a new line'],
  [/^Unknown directive/, 'unknown YAML directive: remove the line that begins with %'],
  [/^Missing , /, 'a comma is missing before this'],
  [/at node end/, 'unexpected text after a value'],
];

function sentenceFor(error: YAMLError): string {
  const known = SENTENCES[error.code] ?? BY_WORDS.find(([words]) => words.test(error.message))?.[1];
  return known ?? `YAML syntax error: ${error.message.replace(/ at line \d+, column \d+[\s\S]*$/, '')}`;
}

/** Hints for common mistakes, recognised by the text of their line. */
function hintFor(line: string): string {
  if (/^\s*(?:\/[/*]|;)/.test(line)) return '; a comment begins with #';
  if (/\{%|\{\{/.test(line)) return '; this line is of a template: check the file that it renders to';
  if (/:\s*\[[0-9a-f:.]*::?[0-9a-f:.]*\]/i.test(line)) return '; quote an address in brackets, as in "[::]:443"';
  if (/(?<!\$)\$\{/.test(line) && /[{[]/.test(line.replaceAll('${', ''))) {
    return '; inside [ ] and { } quote a value with ${NAME}, as in "${NAME}"';
  }
  return '';
}
