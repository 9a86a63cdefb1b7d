// Problems of the running process as sentences, the most serious first, each with a next step. Pure. Runs in the browser.

import type { Certificate, FeedEvent, Hour, Live, LiveEndpoint, LiveUpstream, Tone } from '../types.ts';
import { age, clock, count, percent, plural, span } from './format.ts';
import { isFailing, isProblem, STATES } from './states.ts';

/** Where the page shows more about a problem. */
export type ProblemPlace =
  | { readonly view: 'endpoints'; readonly upstream: string; readonly endpoint: string }
  | { readonly view: 'certificates' | 'configuration' | 'system' };

export interface Problem {
  readonly tone: Tone;
  readonly text: string;
  readonly step: string;
  readonly place: ProblemPlace;
}

export interface ProblemFacts {
  readonly live: Live;
  readonly budget: Hour['budget'] | null;
  readonly certificates: readonly Certificate[];
  /** Use of the fullest limit, 0 to 1, by upstream; that of the process has the empty name. */
  readonly saturation: ReadonlyMap<string, number | null>;
  /** The newest reload; null where none is known. */
  readonly reload: Extract<FeedEvent, { kind: 'reload' }> | null;
}

/** Use of a limit that is a problem. */
export const SATURATED = 0.9;
/** A certificate without a renewal of its own is a warning below this time to its end. */
export const EXPIRY_SECONDS = 14 * 86_400;
const ORDER: readonly Tone[] = ['bad', 'warn', 'set', 'good'];

export function problemsOf(facts: ProblemFacts): Problem[] {
  const { live, certificates, reload, budget, saturation } = facts;
  const problems = [
    ...processProblems(live),
    ...live.upstreams.flatMap(upstreamProblems),
    ...saturationProblems(saturation),
    ...live.upstreams.flatMap(sourceProblems),
    ...live.providers.flatMap(providerProblems),
    ...live.registrations.flatMap(registrationProblems),
    ...reloadProblems(reload),
    ...certificates.flatMap((one) => certificateProblems(one, Date.parse(live.at))),
    ...budgetProblems(budget),
    ...maintenanceNotes(live),
  ];
  return problems.toSorted((a, b) => ORDER.indexOf(a.tone) - ORDER.indexOf(b.tone));
}

function processProblems({ ready, notReadyBecause, workers, listeners }: Live): Problem[] {
  const place = { view: 'system' } as const;
  const problems: Problem[] = [];
  if (!ready) {
    const text = `Fairlead is not ready: ${notReadyBecause.join(', ')}.`;
    problems.push({ tone: 'bad', text, step: 'It reports 503 at /readyz until this ends.', place });
  }
  for (const { name } of listeners.filter(({ address }) => address === null)) {
    const text = `Listener ${name} is not bound.`;
    problems.push({ tone: 'bad', text, step: 'Clients cannot connect to it: check the log for the cause.', place });
  }
  for (const { worker, restarts } of workers.filter(({ state }) => state === 'exited')) {
    const text = `Worker ${worker} has exited (restarted ${restarts} times before).`;
    problems.push({ tone: 'bad', text, step: 'It is started again; check the log for the cause.', place });
  }
  return problems;
}

function upstreamProblems(upstream: LiveUpstream): Problem[] {
  const { name, endpoints, queued, errorShare, requestsPerSecond } = upstream;
  const place = { view: 'endpoints', upstream: name, endpoint: '' } as const;
  const problems = stateProblems(upstream);
  if (queued > 0) {
    const text = `${plural(queued, 'request')} of ${name} ${queued === 1 ? 'waits' : 'wait'} for a free endpoint.`;
    problems.push({ tone: 'warn', text, step: 'Add endpoints or raise their limits, if this lasts.', place });
  }
  if (isFailing(errorShare) && (requestsPerSecond ?? 0) > 0) {
    const text = `${percent(errorShare)} of the responses of ${name} are errors (5xx).`;
    const step = endpoints.some(({ availability }) => isProblem(availability))
      ? 'See its endpoints with problems.'
      : 'All its endpoints are in service: check the logs of the application.';
    problems.push({ tone: 'bad', text, step, place });
  }
  return problems;
}

/** One sentence for all endpoints of an upstream that have problems. */
function stateProblems({ name, endpoints }: LiveUpstream): Problem[] {
  const ill = endpoints.filter(({ availability }) => isProblem(availability));
  if (ill.length === 0) return [];
  const sorted = ill.toSorted((a, b) => STATES[a.availability].rank - STATES[b.availability].rank);
  const worst = sorted[0]!;
  const place = { view: 'endpoints', upstream: name, endpoint: ill.length === 1 ? worst.name : '' } as const;
  const isAnyLeft = endpoints.some(({ availability }) => STATES[availability].isUsable);
  const { tone, predicate } = STATES[worst.availability];
  const cause = ended(`${worst.name} ${predicate}: ${worst.cause}`);
  if (!isAnyLeft) {
    const text = `Upstream ${name} has no endpoint in service. ${cause}`;
    return [{ tone: 'bad', text, step: `Its requests fail or wait. ${stepOf(worst)}`, place }];
  }
  const share = `${count(ill.length)} of ${plural(endpoints.length, 'endpoint')} of ${name}`;
  const text = ill.length === 1 ? `${name}/${cause}` : `${share} have problems. ${cause}`;
  return [{ tone, text, step: stepOf(worst), place }];
}

/** Upstreams whose endpoints are full; the limits of the process where none explains its use. */
function saturationProblems(saturation: ProblemFacts['saturation']): Problem[] {
  const full = [...saturation].filter(([, use]) => (use ?? 0) >= SATURATED);
  const upstreams = full.filter(([name]) => name !== '');
  if (upstreams.length > 0) {
    return upstreams.map(([name, use]) => {
      const place = { view: 'endpoints', upstream: name, endpoint: '' } as const;
      const text = `The endpoints of ${name} use ${percent(use)} of their limits in flight.`;
      return { tone: 'warn', text, step: 'Beyond them requests wait: add endpoints or raise the limits.', place };
    });
  }
  return full.map(([, use]) => {
    const text = `Fairlead is at ${percent(use)} of an overload limit.`;
    const step = 'At the limit requests get 503: add capacity or raise the limit.';
    return { tone: 'warn', text, step, place: { view: 'system' } };
  });
}

/** With a full stop, unless it ends with another mark. */
function ended(text: string): string {
  return /[.?!]$/.test(text) ? text : `${text}.`;
}

/** The next step for an endpoint, by its state and cause. */
function stepOf({ availability, cause }: LiveEndpoint): string {
  if (availability === 'unresolved') return 'Check the host name and the DNS servers.';
  if (availability === 'halfOpen') return 'No action: a live request decides whether it returns.';
  if (availability === 'suspect') return 'No action: the next heartbeat or request decides.';
  if (/refused/i.test(cause)) return 'Check that its program runs and listens on this port.';
  if (/time(?:d )?out/i.test(cause)) return 'Check its load and the network between.';
  if (/certificate|tls/i.test(cause)) return 'Check its certificate and the settings of TLS.';
  if (/status|5\d\d/i.test(cause)) return 'Check the log of its program.';
  return 'Open it for the reasons and its last heartbeats.';
}

function sourceProblems({ name, sources }: LiveUpstream): Problem[] {
  return sources
    .filter(({ state }) => state !== 'current')
    .map(({ source, subject, state, cause, endpoints, ageSeconds }) => {
      const age = ageSeconds === null ? '' : `, last confirmed ${span(ageSeconds)} ago`;
      const kept =
        state === 'pending' ? 'It has no endpoints yet' : `Its last ${plural(endpoints, 'endpoint')} stay in use`;
      const because = cause === '' ? '' : `: ${cause}`;
      const text = ended(`Source ${source} ${subject} of ${name} is ${SOURCE_STATES[state]}${because}`);
      return { tone: 'warn', text, step: `${kept}${age}.`, place: { view: 'system' } };
    });
}

function registrationProblems({ id, subject, state, cause, ageSeconds }: Live['registrations'][number]): Problem[] {
  // One that is being made has no cause yet.
  if (cause === '') return [];
  const age = ageSeconds === null ? 'It was never made' : `It was last confirmed ${span(ageSeconds)} ago`;
  const text = ended(`Registration ${id} at ${subject} is ${SOURCE_STATES[state]}: ${cause}`);
  return [{ tone: 'warn', text, step: `${age}, and is tried again.`, place: { view: 'system' } }];
}

function providerProblems({ name, state, ageSeconds, cause, refused }: Live['providers'][number]): Problem[] {
  const place = { view: 'system' } as const;
  const problems: Problem[] = [];
  if (state !== 'current') {
    const because = cause === '' ? '' : `: ${cause}`;
    const text = ended(`Provider ${name} is ${SOURCE_STATES[state]}${because}`);
    const age = ageSeconds === null ? '' : `, last confirmed ${span(ageSeconds)} ago`;
    const step = state === 'pending' ? 'It has no routes yet' : `Its last routes stay in use${age}`;
    problems.push({ tone: 'warn', text, step: `${step}.`, place });
  }
  if (refused > 0) {
    const text = `Provider ${name} refuses ${plural(refused, 'object')}.`;
    problems.push({ tone: 'warn', text, step: 'Correct them: each is listed with its problem.', place });
  }
  return problems;
}

/** States of a discovery source or a provider, after "is". */
export const SOURCE_STATES = {
  pending: 'waiting for its first answer',
  current: 'up to date',
  stale: 'out of date',
  held: 'held back by the guard',
} as const;

function reloadProblems(reload: ProblemFacts['reload']): Problem[] {
  if (reload === null || reload.ok) return [];
  const more = reload.problems.length > 1 ? ` (and ${reload.problems.length - 1} more)` : '';
  const text = ended(
    `The reload at ${clock(reload.at)} was refused: ${reload.problems[0] ?? 'cause not known'}${more}`,
  );
  const step = `Revision ${reload.generation} stays in use: correct the file and reload again.`;
  return [{ tone: 'bad', text, step, place: { view: 'configuration' } }];
}

function certificateProblems({ names, notAfter, error, nextRenewal, state }: Certificate, nowMs: number): Problem[] {
  const place = { view: 'certificates' } as const;
  const name = names[0] ?? 'without a name';
  if (state === 'waiting' || notAfter === null) {
    const because = error === null ? '' : `: ${error}`;
    const text = ended(`Certificate ${name} has not been issued yet${because}`);
    return [
      {
        tone: error === null ? 'warn' : 'bad',
        text,
        step: 'Clients of this name get a placeholder certificate.',
        place,
      },
    ];
  }
  const left = (Date.parse(notAfter) - nowMs) / 1000;
  if (left <= 0) {
    const text = `Certificate ${name} has expired ${span(-left)} ago.`;
    return [{ tone: 'bad', text, step: 'Clients refuse it: install a new one.', place }];
  }
  if (error !== null) {
    const text = ended(`Certificate ${name} can't be renewed: ${error}`);
    return [{ tone: 'warn', text, step: `The present one is valid for ${span(left)}.`, place }];
  }
  if (nextRenewal !== null || left > EXPIRY_SECONDS) return [];
  return [{ tone: 'warn', text: `Certificate ${name} expires in ${span(left)}.`, step: 'Install a new one.', place }];
}

function budgetProblems(budget: Hour['budget'] | null): Problem[] {
  if (budget === null || budget.usedShare === null || budget.usedShare < 1) return [];
  const failed = `${count(budget.errors)} of ${plural(budget.requests, 'request')}`;
  const text = `More requests of the last hour failed than the target of ${targetText(budget.target)} allows: ${failed}.`;
  const step = 'Find the cause in the timeline before the next change.';
  return [{ tone: 'warn', text, step, place: { view: 'system' } }];
}

export function targetText(target: number): string {
  return `${Number((target * 100).toPrecision(8))}\u00a0%`;
}

function maintenanceNotes({ maintenance, at }: Live): Problem[] {
  return maintenance.map(({ of, name, by, since }) => {
    const text = `The ${of} ${name} is in maintenance, set by ${by}.`;
    const step = `For ${age(since, Date.parse(at))} its requests are answered 503. To end it: fairlead maintenance off ${name}.`;
    return { tone: 'set', text, step, place: { view: 'system' } };
  });
}
