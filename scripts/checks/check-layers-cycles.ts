// Finds import cycles: one shortest cycle for each strongly connected set of files. Thread: main.

/** `from` imports `to` on this line. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly line: number;
}

type Graph = ReadonlyMap<string, readonly Edge[]>;

/** For each strongly connected set, a shortest cycle through its first file by name, as edges in order. */
export function findCycles(edges: readonly Edge[]): Edge[][] {
  const graph = Map.groupBy(edges, (edge) => edge.from);
  const told = new Set<string>();
  const cycles: Edge[][] = [];
  for (const start of [...graph.keys()].toSorted()) {
    if (told.has(start)) continue;
    const cycle = shortestCycle(graph, start);
    if (cycle === undefined) continue;
    cycles.push(cycle);
    for (const name of knotOf(graph, start)) told.add(name);
  }
  return cycles;
}

/** Breadth-first search from `start` back to `start`. */
function shortestCycle(graph: Graph, start: string): Edge[] | undefined {
  const cameBy = new Map<string, Edge>();
  const queue = [start];
  for (const name of queue) {
    for (const edge of graph.get(name) ?? []) {
      if (edge.to === start) return trace(cameBy, edge, start);
      if (cameBy.has(edge.to)) continue;
      cameBy.set(edge.to, edge);
      queue.push(edge.to);
    }
  }
  return undefined;
}

function trace(cameBy: ReadonlyMap<string, Edge>, last: Edge, start: string): Edge[] {
  const cycle = [last];
  for (let edge = last; edge.from !== start; cycle.unshift(edge)) edge = cameBy.get(edge.from)!;
  return cycle;
}

/** The strongly connected set of `start`. */
function knotOf(graph: Graph, start: string): string[] {
  return reachable(graph, start).filter((name) => reachable(graph, name).includes(start));
}

function reachable(graph: Graph, start: string): string[] {
  const seen = new Set<string>();
  const queue = [start];
  for (const name of queue) {
    for (const { to } of graph.get(name) ?? []) {
      if (seen.has(to)) continue;
      seen.add(to);
      queue.push(to);
    }
  }
  return [...seen];
}
