// `fairlead maintenance on|off`: has the running Fairlead answer 503 for a route or an upstream, or ends that.
// Thread: main.

import type { MaintenanceSwitch } from '../../../core/snapshot/maintenance.ts';
import { type AdminAnswer, callAdmin, refusalWords } from './admin-client.ts';
import { type AdminOptions, adminTarget } from './admin-target.ts';
import { attempt, UsageError } from './run-live-command.ts';

export interface MaintenanceOptions extends AdminOptions {
  readonly json?: boolean;
  /** Duration with its unit. */
  readonly retryAfter?: string;
}

const UNIT_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
/** The admin API answers when all workers run the new revision. */
const TIMEOUT_MS = 60_000;

/**
 * Changes the switch, prints the result and sets the exit code.
 * @param given a name, or `route:` or `upstream:` and a name
 */
export function setMaintenance(state: 'on' | 'off', given: string, options: MaintenanceOptions): Promise<void> {
  return attempt(async () => {
    const body = { ...parseMaintained(given), on: state === 'on', ...retryAfterOf(options) };
    const answer = await callAdmin(adminTarget(options), '/api/v1/maintenance', { body, timeoutMs: TIMEOUT_MS });
    if (answer.status !== 200) throw errorOf(answer);
    if (options.json === true) console.log(JSON.stringify(answer.body, null, 2));
    else console.log(outcomeWords(answer.body as Outcome));
  });
}

interface Outcome extends Pick<MaintenanceSwitch, 'of' | 'name'> {
  readonly on: boolean;
  readonly retryAfterSeconds: number | null;
}

function outcomeWords({ of, name, on, retryAfterSeconds }: Outcome): string {
  return on
    ? `${of} ${name} is in maintenance: requests are answered 503 with Retry-After: ${retryAfterSeconds}`
    : `${of} ${name} is not in maintenance`;
}

/** Name and, if it is given, kind. */
export function parseMaintained(given: string): { readonly of?: MaintenanceSwitch['of']; readonly name: string } {
  const [, of, name] = /^(route|upstream):(.+)$/s.exec(given) ?? [];
  return name === undefined ? { name: given } : { of: of as MaintenanceSwitch['of'], name };
}

function retryAfterOf({ retryAfter }: MaintenanceOptions): { readonly retryAfterSeconds?: number } {
  return retryAfter === undefined ? {} : { retryAfterSeconds: parseRetryAfter(retryAfter) };
}

/** Seconds of a duration. @throws UsageError */
export function parseRetryAfter(given: string): number {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(given) ?? [];
  if (unit === undefined || Number(amount) === 0) {
    throw new UsageError(`"${given}" is not a duration of whole seconds: write 90s, 10m or 2h`);
  }
  return Number(amount) * UNIT_S[unit]!;
}

/** For an unknown name it lists the existing ones; a name of both kinds is written with its kind. */
function errorOf(answer: AdminAnswer): Error {
  const { code, names = [], nameCount = 0 } = answer.body as { code?: string; names?: string[]; nameCount?: number };
  if (code === 'ambiguous-name') {
    return new UsageError('a route and an upstream have this name: write route:NAME or upstream:NAME');
  }
  if (code !== 'no-such-name') return new Error(refusalWords(answer));
  const more = nameCount > names.length ? [`and ${nameCount - names.length} more`] : [];
  return new UsageError([`${refusalWords(answer)}; there are:`, ...names, ...more].join('\n  '));
}
