// Environment variables in values: `${NAME}`, `${NAME:-default}`, and `$$` for a dollar sign. Thread: main.
// Substitution runs on the scalars of the parsed file, so that a variable can't inject YAML structure.

import type { ProblemCode } from '../problems/problem.ts';
import { quoted } from '../values/parsed.ts';

/** Variables by name, as in process.env. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Substitution {
  readonly text: string;
  /** Whether any variable was substituted. */
  readonly hasVariables: boolean;
  readonly faults: readonly SubstitutionFault[];
}

export interface SubstitutionFault {
  readonly code: ProblemCode;
  readonly message: string;
}

const DOLLAR = /\$\$|\$\{([^}]*)(\}?)/g;
const VARIABLE = /^([A-Za-z_]\w*)(?::-(.*))?$/s;

/** Substitutes the variables in `text`. As in a shell, the default of `${NAME:-default}` also replaces an empty variable. */
export function substitute(text: string, environment: Environment): Substitution {
  if (!text.includes('$')) return { text, hasVariables: false, faults: [] };
  const faults: SubstitutionFault[] = [];
  let hasVariables = false;
  const replaced = text.replace(DOLLAR, (whole: string, content: string | undefined, closing: string | undefined) => {
    if (content === undefined) return '$';
    hasVariables = true;
    const value = closing === '' ? unclosed(whole) : valueOf(content, environment);
    if (typeof value === 'string') return value;
    faults.push(value);
    return '';
  });
  return { text: replaced, hasVariables, faults };
}

/** A text with shell variables such as $PORT, {$PORT} or %PORT%, written as this file requires: \${PORT}; undefined if there are none. */
export function withBraces(text: string): string | undefined {
  const written = text.replaceAll(
    /\{\$([A-Z_][A-Z0-9_]*)\}|%([A-Z_][A-Z0-9_]{2,})%|\$([A-Z_][A-Z0-9_]*)\b/g,
    '${$1$2$3}',
  );
  return written === text ? undefined : written;
}

function valueOf(content: string, environment: Environment): string | SubstitutionFault {
  const match = VARIABLE.exec(content);
  if (match === null || match[2]?.includes('${')) return malformed(`\${${content}}`);
  const [, name = '', fallback] = match;
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
  if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
  if (value !== undefined) return value;
  const message = `the environment variable ${name} is not set: set it, or give a default as in \${${name}:-value}`;
  return { code: 'FL1201', message };
}

function unclosed(text: string): SubstitutionFault {
  return { code: 'FL1202', message: `${quoted(text)} has no closing }: write \${NAME}, or $$ for a dollar sign` };
}

function malformed(text: string): SubstitutionFault {
  const forms = 'write ${NAME} or ${NAME:-default} (without a variable in the default), or $$ for a dollar sign';
  return { code: 'FL1202', message: `${quoted(text)} is not a variable reference: ${forms}` };
}
