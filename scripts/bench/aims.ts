// Goals of the HTTP/1.1 and HTTP/2 engines, as ratios of CPU time per request within one run. No I/O. Thread: main.

import type { CellName, Results } from './summary.ts';

/** `over` divided by `under` is compared with the limits. */
export interface Aim {
  readonly title: string;
  readonly over: CellName;
  readonly under: CellName;
  /** Whether the quotient is a speed (at least) or a cost (at most). */
  readonly isSpeed: boolean;
  readonly limit: number;
  readonly goal: number;
}

export interface Judgement {
  readonly aim: Aim;
  /** Undefined where one of the two was not measured. */
  readonly quotient: number | undefined;
  readonly verdict: 'goal reached' | 'reached' | 'missed' | 'not measured';
}

export const AIMS: readonly Aim[] = [
  against('haproxy', 'small', 0.85, 1),
  against('haproxy', 'browser', 0.85, 1),
  against('haproxy', '64k', 0.8, 1),
  against('haproxy', '1m', 0.65, 0.95),
  against('haproxy', 'post', 0.8, 1),
  against('haproxy', 'connect', 0.45, 0.8),
  against('haproxy', 'tls', 0.8, 0.95),
  against('haproxy', 'tls-connect', 0.6, 0.8),
  against('haproxy', 'tls-resume', 0.6, 0.8),
  against('caddy', 'small', 6, 8),
  against('http-proxy-3', 'small', 6, 8),
  costOf('log', 1.25, 1.1),
  costOf('workers', 1.1, 1),
  multipleOf('nginx', 'gzip', 1.6, 1.3),
  multipleOf('haproxy', 'h2', 1, 0.8),
  multipleOf('haproxy', 'h2-clear', 0.9, 0.7),
  multipleOf('haproxy', 'h2-post', 1.2, 1),
  multipleOf('haproxy', 'h2-64k', 1.3, 1.1),
  multipleOf('haproxy', 'h2-1m', 1, 0.8),
  // With one request at a time nothing is written together: the cost is that of a write under TLS.
  multipleOf('haproxy', 'h2-single', 2, 1.5),
];

function against(peer: string, caseName: string, limit: number, goal: number): Aim {
  const title = `${caseName}: times as fast as ${peer}`;
  return { title, over: [caseName, peer], under: [caseName, 'fairlead'], isSpeed: true, limit, goal };
}

function costOf(caseName: string, limit: number, goal: number): Aim {
  const title = `${caseName}: times the CPU of small`;
  return { title, over: [caseName, 'fairlead'], under: ['small', 'fairlead'], isSpeed: false, limit, goal };
}

function multipleOf(peer: string, caseName: string, limit: number, goal: number): Aim {
  const title = `${caseName}: times the CPU of ${peer}`;
  return { title, over: [caseName, 'fairlead'], under: [caseName, peer], isSpeed: false, limit, goal };
}

/** The goals that the chosen cases and proxies can decide. */
export function aimsFor(caseNames: readonly string[], proxyNames: readonly string[]): readonly Aim[] {
  const isChosen = ([caseName, proxyName]: CellName): boolean =>
    caseNames.includes(caseName) && proxyNames.includes(proxyName);
  return AIMS.filter(({ over, under }) => isChosen(over) && isChosen(under));
}

export function judge(aim: Aim, results: Results): Judgement {
  const quotient = results.quotient(aim.over, aim.under);
  return { aim, quotient, verdict: quotient === undefined ? 'not measured' : verdictOf(aim, quotient) };
}

function verdictOf({ isSpeed, limit, goal }: Aim, quotient: number): Judgement['verdict'] {
  const isWithin = (bound: number): boolean => (isSpeed ? quotient >= bound : quotient <= bound);
  if (isWithin(goal)) return 'goal reached';
  return isWithin(limit) ? 'reached' : 'missed';
}

/** Whether a figure reaches its goal. A figure that could not be measured counts as missed. */
export function isReached({ verdict }: Judgement): boolean {
  return verdict === 'reached' || verdict === 'goal reached';
}
