// Routing of TCP sessions: the first route in file order whose every condition holds. Pure. Thread: both.

import { compileCidrs } from '../../core/cidr.ts';
import type { TcpConditions, TcpRouteSnapshot } from '../../core/snapshot/route.ts';

/** Properties of a session that routes compare. */
export interface SessionFacts {
  readonly listenerName: string;
  /** '' on a Unix socket. */
  readonly clientAddress: string;
  /** Of the client's TLS handshake, in lower case; '' where it names none, or it isn't known. */
  readonly serverName: string;
  /** Offered by ALPN in a handshake that is passed on; at most one, agreed on, where the listener terminates TLS. */
  readonly protocols: readonly string[];
}

/** A part of a match. */
export type TcpMatchPart = 'listener' | 'serverName' | 'alpn' | 'client' | 'not';

interface Test {
  readonly part: TcpMatchPart;
  readonly isMet: (facts: SessionFacts) => boolean;
}

interface CompiledRoute {
  readonly route: TcpRouteSnapshot;
  readonly tests: readonly Test[];
}

/** A route, and the first part of its match that doesn't hold; null where all do. */
interface TcpVerdict {
  readonly route: TcpRouteSnapshot;
  readonly mismatch: TcpMatchPart | null;
}

/** Built once per Snapshot. */
export class TcpRouter {
  readonly #routes: readonly CompiledRoute[];

  constructor(routes: readonly TcpRouteSnapshot[]) {
    this.#routes = routes.map((route) => ({ route, tests: testsOf(route) }));
  }

  /** The first route that matches; null where none does. */
  find(facts: SessionFacts): TcpRouteSnapshot | null {
    return this.#routes.find((one) => matches(one.tests, facts))?.route ?? null;
  }

  /** Whether a session without a route would have one with another protocol. */
  lacksProtocol(facts: SessionFacts): boolean {
    return this.#routes.some(({ route, tests }) => {
      const offers = route.alpn.length === 0 ? [[]] : route.alpn.map((protocol) => [protocol]);
      return offers.some((protocols) => matches(tests, { ...facts, protocols }));
    });
  }

  /** All routes in file order. */
  verdicts(facts: SessionFacts): TcpVerdict[] {
    return this.#routes.map(({ route, tests }) => {
      return { route, mismatch: tests.find(({ isMet }) => !isMet(facts))?.part ?? null };
    });
  }
}

function matches(tests: readonly Test[], facts: SessionFacts): boolean {
  return tests.every(({ isMet }) => isMet(facts));
}

function testsOf(route: TcpRouteSnapshot): readonly Test[] {
  const not = route.not.map(conditionTests);
  return [
    { part: 'listener', isMet: ({ listenerName }) => route.listeners.includes(listenerName) },
    ...conditionTests(route),
    { part: 'not', isMet: (facts) => !not.some((tests) => matches(tests, facts)) },
  ];
}

function conditionTests({ clients, serverNames, alpn }: TcpConditions): readonly Test[] {
  const tests: Test[] = [];
  if (serverNames.length > 0) {
    const isNamed = compileServerNames(serverNames);
    tests.push({ part: 'serverName', isMet: ({ serverName }) => isNamed(serverName) });
  }
  if (alpn.length > 0) {
    tests.push({ part: 'alpn', isMet: ({ protocols }) => protocols.some((protocol) => alpn.includes(protocol)) });
  }
  if (clients.length > 0) {
    const isClient = compileCidrs(clients);
    tests.push({ part: 'client', isMet: ({ clientAddress }) => isClient(clientAddress) });
  }
  return tests;
}

function compileServerNames(names: readonly string[]): (serverName: string) => boolean {
  const exact = new Set(names);
  const suffixes = names.filter((name) => name.startsWith('*.')).map((name) => name.slice(1));
  return (name) => exact.has(name) || suffixes.some((suffix) => name.length > suffix.length && name.endsWith(suffix));
}
