// Nearest known name for "did you mean" suggestions. Thread: main.

/** Edit distance that counts as a typing error: one in short names, two in longer ones. */
function allowedEdits(length: number): number {
  return length <= 3 ? 1 : 2;
}

/**
 * The candidate nearest to `given`, or undefined if none is near enough. Letter case, hyphens and underscores are
 * ignored: per_try_timeout suggests perTryTimeout.
 */
export function nearestName(given: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  const word = plain(given);
  let bestEdits = allowedEdits(word.length) + 1;
  for (const candidate of candidates) {
    const name = plain(candidate);
    if (Math.abs(name.length - word.length) >= bestEdits) continue;
    const edits = editDistance(word, name);
    if (edits < bestEdits) [best, bestEdits] = [candidate, edits];
  }
  return best ?? onlyBeginningWith(given, candidates);
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_ ]/g, '');
}

/** The only candidate that begins with `given`. */
function onlyBeginningWith(given: string, candidates: readonly string[]): string | undefined {
  const longer = given.length < 3 ? [] : candidates.filter((candidate) => candidate.startsWith(given));
  return longer.length === 1 ? longer[0] : undefined;
}

/** Optimal string alignment distance: insertions, deletions, substitutions and transpositions of neighbours. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      let edits = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (isSame ? 0 : 1));
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwap) edits = Math.min(edits, beforeLast[column - 2]! + 1);
      current.push(edits);
    }
    [beforeLast, last] = [last, current];
  }
  return last[b.length]!;
}
