// Routing of TCP sessions: the first route in file order whose every condition holds. Pure. Thread: both.

import { compileCidrs } from '../../core/cidr.ts';
import type { TcpConditions, TcpRouteSnapshot } from '../../core/snapshot/route.ts';

/** Properties of a session that routes compare. */
export interface SessionFacts {
  readonly listenerName: string;
  /** '' on a Unix socket. */
  readonly clientAddress: string;
}

/** A condition of a TCP route. */
export type TcpMatchPart = 'listener' | 'client' | 'not';

type Test = (facts: SessionFacts) => boolean;

interface CompiledRoute {
  readonly route: TcpRouteSnapshot;
  /** In the order in which they are compared. */
  readonly tests: readonly (readonly [TcpMatchPart, Test])[];
}

/** Built once per Snapshot. */
export class TcpRouter {
  readonly #routes: readonly CompiledRoute[];

  constructor(routes: readonly TcpRouteSnapshot[]) {
    this.#routes = routes.map((route) => ({ route, tests: testsOf(route) }));
  }

  /** The first route that matches; null where none does. */
  find(facts: SessionFacts): TcpRouteSnapshot | null {
    return this.#routes.find((one) => mismatchOf(one, facts) === null)?.route ?? null;
  }

  /** The verdict of every route in file order; `find` returns the first without a mismatch. */
  verdicts(facts: SessionFacts): { readonly route: TcpRouteSnapshot; readonly mismatch: TcpMatchPart | null }[] {
    return this.#routes.map((one) => ({ route: one.route, mismatch: mismatchOf(one, facts) }));
  }
}

function mismatchOf({ tests }: CompiledRoute, facts: SessionFacts): TcpMatchPart | null {
  for (const [part, isMet] of tests) if (!isMet(facts)) return part;
  return null;
}

function testsOf(route: TcpRouteSnapshot): readonly (readonly [TcpMatchPart, Test])[] {
  const not = route.not.map((conditions) => conditionTests(conditions).map(([, isMet]) => isMet));
  return [
    ['listener', ({ listenerName }) => route.listeners.includes(listenerName)],
    ...conditionTests(route),
    ['not', (facts) => !not.some((tests) => tests.every((isMet) => isMet(facts)))],
  ];
}

function conditionTests({ clients }: TcpConditions): readonly (readonly [TcpMatchPart, Test])[] {
  const isClient = compileCidrs(clients);
  return clients.length === 0 ? [] : [['client', ({ clientAddress }) => isClient(clientAddress)]];
}
