// Problems of a configuration: message, location and stable code. Thread: main.

/** Problem codes. The meaning of a code never changes; FL9 codes are warnings, all others are errors. */
export const PROBLEM_CODES = {
  FL1001: 'the file could not be read',
  FL1002: 'the file is too large',
  FL1003: 'the file is not UTF-8 text',
  FL1004: 'the file is empty',
  FL1005: 'the configuration of another program',
  FL1006: 'a file that is included twice, or includes itself',
  FL1101: 'YAML syntax error',
  FL1102: 'duplicate key',
  FL1103: 'nesting too deep',
  FL1104: 'too many values',
  FL1105: 'an alias before its anchor, or inside it',
  FL1106: 'a merge key (<<) without a mapping',
  FL1107: 'a key that is not text, or not allowed',
  FL1108: 'more than one YAML document',
  FL1109: 'an unknown YAML tag',
  FL1201: 'an environment variable is not set',
  FL1202: 'a malformed ${...}',
  FL2001: 'an unknown key',
  FL2002: 'a required key is missing',
  FL2004: 'a value of the wrong type',
  FL2005: 'a value out of range or not among the allowed ones',
  FL2006: 'a malformed value',
  FL2007: 'an empty list',
  FL2008: 'an unknown value in braces',
  FL3001: 'an unknown upstream',
  FL3002: 'an unknown listener',
  FL3003: 'a duplicate name',
  FL3004: 'two listeners on one address',
  FL3005: 'a duplicate endpoint',
  FL3006: 'a route needs exactly one action',
  FL3007: 'a key that cannot be combined with another',
  FL3008: 'values that contradict each other',
  FL3009: 'a header field that cannot be changed',
  FL3010: 'the admin API is reachable from other machines without authentication',
  FL3011: 'an unknown policy',
  FL3012: 'invalid options of a policy',
  FL4001: 'a referenced file could not be read',
  FL4002: 'a file contains no certificate',
  FL4003: 'a file contains no private key',
  FL4004: 'a private key does not match its certificate',
  FL4005: 'a plugin could not be loaded',
  FL5001: 'a name does not resolve (with --strict-dns)',
  FL9001: 'a route can never match',
  FL9002: 'an upstream is not used',
  FL9003: 'an upstream has no heartbeat',
  FL9004: 'a value has no effect',
  FL9005: 'certificates of endpoints are not verified',
  FL9006: 'a certificate is expired, about to expire, or not yet valid',
  FL9007: 'Host and TLS server name differ',
  FL9008: 'all endpoints are backups',
  FL9009: 'a heartbeat requires a response field that only requests have',
  FL9010: 'a regular expression with catastrophic backtracking',
  FL9011: 'queued requests time out before an endpoint can recover',
  FL9012: 'sticky sessions are lost at a restart',
  FL9013: 'a host or path of a route can never match',
  FL9014: 'a listener without a route',
  FL9015: 'a secret is readable by every user of the machine',
  FL9016: 'attempts that exceed the response timeout',
  FL9017: 'attempts that outlast every client',
  FL9018: 'no check detects that an endpoint is down',
  FL9019: 'ejection may leave one endpoint with all requests',
  FL9020: 'timeouts that contradict each other',
  FL9021: 'a token is sent over the network in clear text',
  FL9022: 'a deprecated form',
  FL9023: 'an endpoint is a listener of the same process',
  FL9024: 'the state file cannot be written',
  FL9025: 'heartbeats speak another protocol than requests',
  FL9026: 'automatic certificates without an email address',
  FL9027: 'automatic certificates without a name',
  FL9028: 'every address may send PROXY protocol headers',
  FL9029: 'TLS of clients is encrypted a second time',
  FL9030: 'gRPC calls to endpoints over HTTP/1.1',
} as const;
export type ProblemCode = keyof typeof PROBLEM_CODES;

export type Severity = 'error' | 'warning';

/** Path from the root of the configuration to a value: keys of mappings, indices of lists. */
export type KeyPath = readonly (string | number)[];

/** A range within one source line. Lines and columns are 1-based; columns count UTF-16 units. */
export interface Span {
  readonly line: number;
  readonly column: number;
  /** Characters to underline, at least 1. */
  readonly length: number;
}

/** A part of a source line and the marked range in it, in UTF-16 units from 0. */
export interface Excerpt {
  readonly text: string;
  readonly markBegin: number;
  readonly markLength: number;
}

/** A finding without its file and location. */
export interface Finding {
  readonly code: ProblemCode;
  /** One sentence: the error and the allowed forms. */
  readonly message: string;
  readonly path: KeyPath;
  /** Whether the finding concerns the key at `path` or its value (default). */
  readonly part?: 'key' | 'value';
  /** Text in the value that the finding concerns; the whole value where that is written otherwise. */
  readonly mark?: string | undefined;
  /** Replacement for the marked text, if known. */
  readonly suggestion?: string | undefined;
}

/** A finding with its location. */
export interface Problem {
  readonly code: ProblemCode;
  readonly severity: Severity;
  readonly file: string;
  readonly span: Span;
  readonly message: string;
  /** `upstreams.api.endpoints[1].weight`; '' for the file as a whole. */
  readonly path: string;
  readonly suggestion: string | null;
  /** The source line; null for the file as a whole. */
  readonly excerpt: Excerpt | null;
}

/** Guidance for a problem code: what it means and how to fix it. */
export interface Guidance {
  /** Meaning and consequence, in one or two sentences. */
  readonly meaning: string;
  /** Remedy, in one or two sentences. */
  readonly fix: string;
  /** Top-level keys that cause this code; the rest of the configuration is as in the README. */
  readonly wrong?: string;
  /** The corrected version. */
  readonly right?: string;
  /** Shell commands, where configuration text can't illustrate the problem. */
  readonly shell?: string;
}

/** Adds file and location to a finding; its excerpt is added only if it is reported. */
export function problemAt(file: string, span: Span, finding: Finding): Problem {
  const { code, message, suggestion = null } = finding;
  const severity = code.startsWith('FL9') ? 'warning' : 'error';
  return { code, severity, file, span, message, path: formatPath(finding.path), suggestion, excerpt: null };
}

/** Formats a problem in one line: `file:line:column: message (path.of.key) [code]`, warnings with `warning: ` before the message. */
export function formatProblem(problem: Problem): string {
  const place = `${problem.file}:${problem.span.line}:${problem.span.column}`;
  const severity = problem.severity === 'warning' ? 'warning: ' : '';
  const path = problem.path === '' ? '' : ` (${problem.path})`;
  return `${place}: ${severity}${problem.message}${path} [${problem.code}]`;
}

/** Formats a path for messages: `routes[0].match.header["x y"]`. */
export function formatPath(path: KeyPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[\w*-]+$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** Orders problems by line, then column, then code. */
export function byPlace(a: Problem, b: Problem): number {
  return a.span.line - b.span.line || a.span.column - b.span.column || a.code.localeCompare(b.code);
}
