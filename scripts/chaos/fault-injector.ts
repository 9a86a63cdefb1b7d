// Applies the planned faults to the endpoints. Thread: main.

import type { EndpointProcess } from './endpoint-process.ts';
import type { Fault, FaultKind } from './plan.ts';

type Action = (endpoint: EndpointProcess) => void | Promise<void>;

const revive: Action = (endpoint) => endpoint.revive();

const ACTIONS: Readonly<Record<FaultKind, { readonly begin: Action; readonly end: Action }>> = {
  kill: { begin: (endpoint) => endpoint.signal('SIGKILL'), end: revive },
  restart: { begin: (endpoint) => endpoint.signal('SIGTERM'), end: revive },
  stop: { begin: (endpoint) => endpoint.signal('SIGSTOP'), end: (endpoint) => endpoint.signal('SIGCONT') },
  reset: modeActions('reset'),
  unavailable: modeActions('unavailable'),
  late: modeActions('late'),
  halve: {
    begin: (endpoint) => endpoint.send({ kind: 'slots', slots: Math.max(1, endpoint.spec.slots >> 1) }),
    end: (endpoint) => endpoint.send({ kind: 'slots', slots: endpoint.spec.slots }),
  },
};

function modeActions(mode: 'reset' | 'unavailable' | 'late') {
  return {
    begin: (endpoint: EndpointProcess) => endpoint.send({ kind: 'mode', mode }),
    end: (endpoint: EndpointProcess) => endpoint.send({ kind: 'mode', mode: 'well' }),
  };
}

/**
 * Starts and ends each fault at its time.
 * @param startMs start of the load, by performance.now()
 * @returns resolves after the last fault; rejects when one could not be applied
 */
export async function injectFaults(
  faults: readonly Fault[],
  endpoints: readonly EndpointProcess[],
  startMs: number,
): Promise<void> {
  await Promise.all(
    faults.map(async (fault) => {
      const { begin, end } = ACTIONS[fault.kind];
      const endpoint = endpoints[fault.endpoint]!;
      await at(startMs + fault.startMs);
      await begin(endpoint);
      await at(startMs + fault.endMs);
      await end(endpoint);
    }),
  );
}

function at(timeMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, timeMs - performance.now())));
}

/** Number of processes that an endpoint needs. */
export function livesOf(faults: readonly Fault[], endpoint: number): number {
  return (
    1 +
    faults.filter((fault) => fault.endpoint === endpoint && (fault.kind === 'kill' || fault.kind === 'restart')).length
  );
}
