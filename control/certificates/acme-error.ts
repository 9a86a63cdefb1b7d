// A failure of an exchange with a certificate authority: what it answered, or why there was no answer. Thread: main.

/** Prefix of the types of errors that RFC 8555 defines (section 6.7). */
const TYPE_PREFIX = 'urn:ietf:params:acme:error:';

/** The body of an error (RFC 9457), as far as it is used. */
export interface AcmeProblem {
  readonly type?: unknown;
  readonly detail?: unknown;
  readonly subproblems?: unknown;
}

export class AcmeError extends Error {
  /** Type without its prefix, such as `rateLimited`; '' where the CA gave none, or there was no answer. */
  readonly type: string;
  /** 0 where there was no answer. */
  readonly status: number;
  /** Time that the CA demands before the next request (Retry-After); 0 if none. */
  readonly retryAfterMs: number;

  constructor(message: string, facts: { type?: string; status?: number; retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: facts.cause });
    this.name = 'AcmeError';
    this.type = facts.type ?? '';
    this.status = facts.status ?? 0;
    this.retryAfterMs = facts.retryAfterMs ?? 0;
  }
}

/** The error that an answer describes. @param subject begins the message: `CA acme.example refuses the order` */
export function errorOfProblem(subject: string, status: number, problem: AcmeProblem, retryAfterMs = 0): AcmeError {
  const type = typeof problem.type === 'string' ? problem.type.replace(TYPE_PREFIX, '') : '';
  const cause = [type, detailOf(problem)].filter((part) => part !== '').join(': ');
  const shown = cause === '' ? `status ${status}` : cause;
  return new AcmeError(`${subject}: ${shown}`, { type, status, retryAfterMs });
}

/** One line: the CA's text goes to logs and terminals. */
function detailOf({ detail, subproblems }: AcmeProblem): string {
  const own = typeof detail === 'string' ? detail : '';
  const parts = Array.isArray(subproblems) ? (subproblems as AcmeProblem[]).map((part) => detailOf(part ?? {})) : [];
  const text = [own, ...parts].filter((part) => part !== '').join('; ');
  return text.replace(/\p{Cc}+/gu, ' ').slice(0, LONGEST_DETAIL);
}

const LONGEST_DETAIL = 500;
