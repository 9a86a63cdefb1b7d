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
  /** Whether the CA's decision about the order is final: resuming it leads to the same error. */
  readonly isFinal: boolean;

  constructor(message: string, facts: AcmeErrorFacts = {}) {
    super(message, { cause: facts.cause });
    this.name = 'AcmeError';
    this.type = facts.type ?? '';
    this.status = facts.status ?? 0;
    this.retryAfterMs = facts.retryAfterMs ?? 0;
    this.isFinal = facts.isFinal ?? (this.status !== 0 || this.type !== '');
  }
}

export interface AcmeErrorFacts {
  readonly type?: string;
  readonly status?: number;
  readonly retryAfterMs?: number;
  /** Left out: whether the CA has answered with an error. */
  readonly isFinal?: boolean;
  readonly cause?: unknown;
}

/** The error that an answer describes, which is final. @param subject begins the message: `CA acme.example refuses the order` */
export function errorOfProblem(subject: string, status: number, problem: AcmeProblem, retryAfterMs = 0): AcmeError {
  const type = typeof problem.type === 'string' ? problem.type.replace(TYPE_PREFIX, '') : '';
  const cause = [type, detailOf(problem)].filter((part) => part !== '').join(': ');
  const shown = cause !== '' ? cause : status === 0 ? 'it gives no reason' : `status ${status}`;
  return new AcmeError(`${subject}: ${shown}`, { type, status, retryAfterMs, isFinal: true });
}

/** One line: the CA's text goes to logs and terminals. */
function detailOf({ detail, subproblems }: AcmeProblem): string {
  const own = typeof detail === 'string' ? detail : '';
  const parts = Array.isArray(subproblems) ? (subproblems as AcmeProblem[]).map((part) => detailOf(part ?? {})) : [];
  const text = [own, ...parts].filter((part) => part !== '').join('; ');
  return text.replace(/\p{Cc}+/gu, ' ').slice(0, LONGEST_DETAIL);
}

const LONGEST_DETAIL = 500;
