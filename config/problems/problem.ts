// A problem found in a configuration: what is wrong, where, and the stable code of its kind. Thread: main.

/** Kinds of problem. A code is never given another meaning; FL9 codes are warnings, all others errors. */
export const PROBLEM_CODES = {
  FL1001: 'the file could not be read',
  FL1002: 'the file is too large',
  FL1003: 'the file is not UTF-8 text',
  FL1004: 'the file says nothing',
  FL1101: 'YAML syntax',
  FL1102: 'a key is given twice',
  FL1103: 'nested too deeply',
  FL1104: 'too many values',
  FL1105: 'an alias without its anchor, or within it',
  FL1106: 'a merge key (<<) without a mapping',
  FL1107: 'a key that is not text, or refused',
  FL1108: 'more than one YAML document',
  FL1109: 'an unknown YAML tag',
  FL1201: 'an environment variable is not set',
  FL1202: 'a ${...} that is not well formed',
  FL2001: 'an unknown key',
  FL2002: 'a required key is missing',
  FL2004: 'a value of the wrong kind',
  FL2005: 'a value out of range or not among those allowed',
  FL2006: 'a text that is not well formed',
  FL2007: 'an empty list',
  FL3001: 'an unknown upstream',
  FL3002: 'an unknown listener',
  FL3003: 'a name given twice',
  FL3004: 'two listeners on one address',
  FL3005: 'an endpoint given twice',
  FL3006: 'a route must do exactly one thing',
  FL3007: 'a key that has no place beside another',
  FL3008: 'values that contradict each other',
  FL3009: 'a header field that may not be changed',
  FL3010: 'the admin API is bound where other machines can reach it',
  FL3011: 'an unknown policy',
  FL3012: 'options that a policy refuses',
  FL4001: 'a file that the configuration names could not be read',
  FL4002: 'a file holds no certificate',
  FL4003: 'a file holds no private key',
  FL4004: 'a key does not belong to its certificate',
  FL4005: 'a plugin could not be loaded',
  FL9001: 'a route can never match',
  FL9002: 'an upstream is not used',
  FL9003: 'an upstream has no heartbeat',
  FL9004: 'a value has no effect',
  FL9005: 'certificates of endpoints are not verified',
  FL9006: 'a certificate is out of date',
  FL9007: 'Host and TLS server name differ',
  FL9008: 'all endpoints are backups',
  FL9009: 'a heartbeat expects a field that only requests have',
  FL9010: 'a regular expression may take very long',
  FL9011: 'requests wait in vain',
  FL9012: 'sticky sessions end with the process',
  FL9013: 'a host or path never leads to its route',
  FL9014: 'a listener without a route',
  FL9015: 'a secret can be read by every user of the machine',
  FL9016: 'tries that do not fit into their time',
  FL9017: 'tries that nobody waits for',
  FL9018: 'nothing tells that an endpoint is down',
  FL9019: 'one endpoint may be left with all requests',
  FL9020: 'timeouts that contradict each other',
  FL9021: 'a token goes over the network in clear text',
} as const;
export type ProblemCode = keyof typeof PROBLEM_CODES;

export type Severity = 'error' | 'warning';

/** Steps from the root of the configuration to a value: keys of mappings, indexes of lists. */
export type KeyPath = readonly (string | number)[];

/** A stretch of one source line. Lines and columns count from 1, columns in UTF-16 units. */
export interface Span {
  readonly line: number;
  readonly column: number;
  /** Characters to underline, at least 1. */
  readonly length: number;
}

/** A piece of a source line with the place of the marked stretch in it, in UTF-16 units from 0. */
export interface Excerpt {
  readonly text: string;
  readonly markBegin: number;
  readonly markLength: number;
}

/** What was found, before it has a file and a place. */
export interface Finding {
  readonly code: ProblemCode;
  /** One sentence: what is wrong and what is allowed. */
  readonly message: string;
  readonly path: KeyPath;
  /** Whether the key at `path` is meant or its value; the value if absent. */
  readonly part?: 'key' | 'value';
  /** What to write instead of the marked text, where that is known. */
  readonly suggestion?: string | undefined;
}

/** A finding with its place. */
export interface Problem {
  readonly code: ProblemCode;
  readonly severity: Severity;
  readonly file: string;
  readonly span: Span;
  readonly message: string;
  /** `upstreams.api.endpoints[1].weight`; '' is the file as a whole. */
  readonly path: string;
  readonly suggestion: string | null;
  /** The source line; null where the file as a whole is meant. */
  readonly excerpt: Excerpt | null;
}

/** Guidance for a problem code: what it means and how to fix it. */
export interface Guidance {
  /** What it means and why it matters, in one or two sentences. */
  readonly meaning: string;
  /** What to do, in one or two sentences. */
  readonly fix: string;
  /** Top-level keys that get this code; what else a configuration needs is as in the README. */
  readonly wrong?: string;
  /** The same as it should be. */
  readonly right?: string;
  /** What it looks like where no text of a configuration can show it: commands. */
  readonly shell?: string;
}

/** Gives a finding its place; its excerpt is cut when it is sure to be told. */
export function problemAt(file: string, span: Span, finding: Finding): Problem {
  const { code, message, suggestion = null } = finding;
  const severity = code.startsWith('FL9') ? 'warning' : 'error';
  return { code, severity, file, span, message, path: formatPath(finding.path), suggestion, excerpt: null };
}

/** In one line: `file:line:column: message (path.of.key) [code]`, with `warning: ` before the message of a warning. */
export function formatProblem(problem: Problem): string {
  const place = `${problem.file}:${problem.span.line}:${problem.span.column}`;
  const severity = problem.severity === 'warning' ? 'warning: ' : '';
  const path = problem.path === '' ? '' : ` (${problem.path})`;
  return `${place}: ${severity}${problem.message}${path} [${problem.code}]`;
}

/** A path as it is written in messages: `routes[0].match.header["x y"]`. */
export function formatPath(path: KeyPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[\w*-]+$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** Orders problems as a reader meets them: by line, then column, then code. */
export function byPlace(a: Problem, b: Problem): number {
  return a.span.line - b.span.line || a.span.column - b.span.column || a.code.localeCompare(b.code);
}
