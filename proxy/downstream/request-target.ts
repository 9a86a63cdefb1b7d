// Request targets of HTTP/1.1 and HTTP/2, and their authority. Thread: worker.

import { isTarget } from '../http1/field-line.ts';
import { scanHostValue } from '../http1/host-value.ts';

/** A target in the form in which it is forwarded. */
export interface RequestTarget {
  /** Origin-form, or '*' for OPTIONS. */
  readonly target: string;
  /** Authority of an absolute-form; null where the Host field has it. */
  readonly authority: string | null;
}

const ABSOLUTE_FORM = /^https?:\/\/([^/?]*)(.*)$/is;

/**
 * Parses a target (RFC 9112 section 3.2). Authority-form belongs to CONNECT and is not served; a fragment, a control byte or a
 * byte above 0x7e is no part of a target.
 * @returns null where it is malformed
 */
export function readTarget(method: string, text: string): RequestTarget | null {
  if (!isTarget(text)) return null;
  if (text.startsWith('/')) return { target: text, authority: null };
  if (text === '*') return method === 'OPTIONS' ? { target: text, authority: null } : null;
  return readAbsoluteForm(method, text);
}

/** RFC 9112 section 3.2.2: its authority overrides Host, and the rest is forwarded in origin-form. */
function readAbsoluteForm(method: string, text: string): RequestTarget | null {
  const parts = ABSOLUTE_FORM.exec(text);
  if (parts === null) return null;
  const [, authority = '', rest = ''] = parts;
  if (authority === '' || !isValidAuthority(authority)) return null;
  if (rest.startsWith('/')) return { target: rest, authority };
  // Without a path: '/' before a query, and '*' for OPTIONS (RFC 9112 section 3.2.4).
  if (rest === '' && method === 'OPTIONS') return { target: '*', authority };
  return { target: `/${rest}`, authority };
}

/** Whether a text is `host [":" port]` without a user name; an empty text is valid (RFC 9112 section 3.2). */
export function isValidAuthority(text: string): boolean {
  const bytes = Buffer.from(text, 'latin1');
  return scanHostValue(bytes, 0, bytes.length) >= 0;
}
